//! A server that speaks S3 with keys, over a folder.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use viseme_jobs::{BucketKeys, BucketSettings};

pub(crate) const BUCKET: &str = "studio";
pub(crate) const KEY: &str = "AKIDEXAMPLE";
pub(crate) const SECRET: &str = "a-secret-that-nobody-sees";

pub(crate) struct S3Server {
    folder: TempDir,
    endpoint: String,
    serving: JoinHandle<()>,
}

impl S3Server {
    pub(crate) async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).unwrap());
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let serving = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    // Clients hang up in the middle: that is what is tested.
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        Self { folder, endpoint, serving }
    }

    pub(crate) fn settings(&self) -> BucketSettings {
        BucketSettings {
            endpoint: Some(self.endpoint.clone()),
            prefix: "viseme/test".into(),
            path_style: true,
            allow_http: true,
            keys: Some(BucketKeys::new(KEY, SECRET)),
            ..BucketSettings::new(BUCKET)
        }
    }

    /// Where the server keeps what it was given.
    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.folder.path().join(BUCKET)
    }
}

impl Drop for S3Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}
