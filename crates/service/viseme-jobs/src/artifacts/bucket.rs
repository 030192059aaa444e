//! Buckets of S3, and of what speaks like it.

use super::fault::Fault;
use object_store::aws::{AmazonS3, AmazonS3Builder, AmazonS3ConfigKey};
use object_store::path::Path as StorePath;
use object_store::{ClientOptions, RetryConfig};
use std::fmt;
use std::time::Duration;
use viseme_core::{Error, Result};

/// How long a bucket may say nothing. A part of a file has to get through in this time.
const SILENCE: Duration = Duration::from_mins(2);
/// How long, and how often, a request is tried again.
const RETRY_TIME: Duration = Duration::from_mins(1);
const RETRIES: usize = 5;

/// Where a bucket is, and who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BucketSettings {
    /// Its name.
    pub bucket: String,
    /// Its region; that of the environment (`AWS_REGION`) or `us-east-1` when not named.
    pub region: Option<String>,
    /// Where the service is, such as `https://minio.example:9000`, without the bucket; that of the environment
    /// (`AWS_ENDPOINT_URL_S3`, `AWS_ENDPOINT_URL`) or Amazon's own when not named.
    pub endpoint: Option<String>,
    /// What all names begin with, such as `studio/viseme`; nothing when empty.
    pub prefix: String,
    /// Whether the bucket is named in the path (`https://host/bucket/…`, as `MinIO` has it) and not in the name of the host
    /// (`https://bucket.host/…`).
    pub path_style: bool,
    /// Whether the service may be reached without encryption: for one on the same machine.
    pub allow_http: bool,
    /// The keys; where there are none, what Amazon's own tools find: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
    /// `AWS_SESSION_TOKEN`, or the role of the machine.
    pub keys: Option<BucketKeys>,
}

impl BucketSettings {
    /// A bucket of Amazon, with what the environment says of it.
    #[must_use]
    pub fn new(bucket: impl Into<String>) -> Self {
        Self {
            bucket: bucket.into(),
            region: None,
            endpoint: None,
            prefix: String::new(),
            path_style: false,
            allow_http: false,
            keys: None,
        }
    }

    pub(super) fn prefix(&self) -> Result<StorePath> {
        StorePath::parse(&self.prefix).map_err(|error| {
            Error::invalid_input("the prefix for the bucket is not usable").with_source(error)
        })
    }

    pub(super) fn open(&self) -> Result<AmazonS3> {
        // Where somebody has chosen a provider already, it stays.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let from_environment = AmazonS3Builder::from_env();
        let set_there = |key| from_environment.get_config_value(&key);
        let endpoint = self
            .endpoint
            .clone()
            .or_else(|| set_there(AmazonS3ConfigKey::S3Endpoint))
            .or_else(|| set_there(AmazonS3ConfigKey::Endpoint));
        let region = self.region.clone().or_else(|| set_there(AmazonS3ConfigKey::Region));
        let mut builder = match &self.keys {
            Some(keys) => {
                AmazonS3Builder::new().with_access_key_id(&keys.id).with_secret_access_key(&keys.secret)
            }
            None => from_environment,
        };
        if let Some(endpoint) = endpoint {
            builder = builder.with_config(AmazonS3ConfigKey::S3Endpoint, self.address(&endpoint)?);
        }
        if let Some(region) = region {
            builder = builder.with_region(region);
        }
        let options = ClientOptions::new()
            .with_allow_http(self.allow_http)
            .with_timeout_disabled()
            .with_read_timeout(SILENCE);
        builder
            .with_bucket_name(&self.bucket)
            .with_virtual_hosted_style_request(!self.path_style)
            .with_client_options(options)
            .with_retry(RetryConfig {
                max_retries: RETRIES,
                retry_timeout: RETRY_TIME,
                ..RetryConfig::default()
            })
            .build()
            .map_err(|error| error.into_error("open the bucket"))
    }

    /// The address of the service as `object_store` wants it: with the bucket in the name of the host, if it is to be there.
    fn address(&self, endpoint: &str) -> Result<String> {
        let Some((scheme, host)) = endpoint.trim_end_matches('/').split_once("://") else {
            return Err(Error::invalid_input("the endpoint of the bucket is no address")
                .with_hint("Write it with its scheme: https://minio.example:9000."));
        };
        if scheme == "http" && !self.allow_http {
            return Err(Error::invalid_input("the endpoint of the bucket is not encrypted")
                .with_hint("Use an https address, or allow http for a service on the same machine."));
        }
        Ok(if self.path_style {
            format!("{scheme}://{host}")
        } else {
            format!("{scheme}://{}.{host}", self.bucket)
        })
    }
}

/// An access key. The secret half is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct BucketKeys {
    id: String,
    secret: String,
}

impl BucketKeys {
    /// The two halves: `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`.
    #[must_use]
    pub fn new(id: impl Into<String>, secret: impl Into<String>) -> Self {
        Self { id: id.into(), secret: secret.into() }
    }
}

impl fmt::Debug for BucketKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BucketKeys(..)")
    }
}
