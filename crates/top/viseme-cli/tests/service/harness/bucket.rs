//! Storage of the client's own that speaks S3, with presigned addresses.

use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use object_store::aws::{AmazonS3, AmazonS3Builder};
use object_store::path::Path as StorePath;
use object_store::signer::{Method, Signer};
use s3s::auth::SimpleAuth;
use s3s::service::S3ServiceBuilder;
use s3s_fs::FileSystem;
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

const BUCKET: &str = "client";
const KEY: &str = "AKIDEXAMPLE";
const SECRET: &str = "a-secret-of-the-client";

/// A bucket in this process.
pub(crate) struct Bucket {
    folder: TempDir,
    site: String,
    signer: AmazonS3,
    runtime: Runtime,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(folder.path().join(BUCKET)).expect("a folder");
        let runtime = Runtime::new().expect("threads");
        let mut builder = S3ServiceBuilder::new(FileSystem::new(folder.path()).expect("a folder"));
        builder.set_auth(SimpleAuth::from_single(KEY, SECRET));
        let service = builder.build();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a free port");
        let site = listener.local_addr().expect("an address").to_string();
        runtime.spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                tokio::spawn(async move {
                    // Clients may hang up.
                    let _ = Builder::new(TokioExecutor::new())
                        .serve_connection(TokioIo::new(socket), service)
                        .await;
                });
            }
        });
        let signer = signer(&site);
        Self { folder, site, signer, runtime }
    }

    /// What `--allow-host` must name.
    pub(crate) fn site(&self) -> String {
        self.site.clone()
    }

    /// An address to which one file can be sent with PUT, for a quarter of an hour.
    pub(crate) fn put_url(&self, name: &str) -> String {
        self.signed(Method::PUT, name)
    }

    /// An address from which the file can be fetched, for a quarter of an hour.
    pub(crate) fn get_url(&self, name: &str) -> String {
        self.signed(Method::GET, name)
    }

    fn signed(&self, method: Method, name: &str) -> String {
        let name = StorePath::from(name);
        let url = self.signer.signed_url(method, &name, Duration::from_mins(15));
        self.runtime.block_on(url).expect("a signed address").into()
    }

    /// Where a file that was sent lies.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(BUCKET).join(name)
    }

    /// The names of all files that were sent.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path().join(BUCKET)).expect("a folder");
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
    }
}

fn signer(site: &str) -> AmazonS3 {
    // The client of `object_store` wants TLS even where it signs alone.
    let _ = rustls::crypto::ring::default_provider().install_default();
    AmazonS3Builder::new()
        .with_bucket_name(BUCKET)
        .with_region("us-east-1")
        .with_endpoint(format!("http://{site}"))
        .with_allow_http(true)
        .with_virtual_hosted_style_request(false)
        .with_access_key_id(KEY)
        .with_secret_access_key(SECRET)
        .build()
        .expect("a signer")
}
