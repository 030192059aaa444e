//! A web server of the client's own, with files that jobs are to fetch.

use std::path::Path;
use viseme_testing::{Answer, HostileServer};

/// Files at addresses of this machine.
pub(crate) struct Files(HostileServer);

impl Files {
    pub(crate) fn start() -> Self {
        Self(HostileServer::start())
    }

    /// Serves a file as `name`, and says its address.
    pub(crate) fn add(&self, name: &str, file: &Path) -> String {
        self.add_bytes(name, &std::fs::read(file).expect("a file"))
    }

    /// Serves bytes as `name`, and says their address.
    pub(crate) fn add_bytes(&self, name: &str, bytes: &[u8]) -> String {
        let path = format!("/{name}");
        self.0.serve(&path, bytes, &[Answer::Whole]);
        self.0.url(&path)
    }

    /// What `--allow-host` must name.
    pub(crate) fn site(&self) -> String {
        self.0.url("").trim_start_matches("http://").to_owned()
    }
}
