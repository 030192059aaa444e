//! The arguments of the server and its workers. Each can be given as a variable of the environment, too.

#![expect(clippy::doc_markdown, reason = "the doc comments are the help texts")]

use super::{LimitArguments, times::parse_time};
use clap::{Args, ValueEnum};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;
use viseme_core::{Error, Result};
use viseme_models::{Device, RuntimeKind, RuntimeRequest};
use viseme_server::{
    AllowedHost, BucketSettings, JobKind, LogFormat, NetworkPolicy, RemoteUrl, Secret, ServerSettings,
    SizeLimits, Token,
};

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// Where to listen; elsewhere than on the loopback, tokens are needed
    #[arg(long, env = "VISEME_LISTEN", value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8000")]
    listen: SocketAddr,
    /// Jobs that this process does at a time; 0 leaves them to viseme work
    #[arg(long, env = "VISEME_WORKERS", value_name = "N", default_value_t = 1)]
    workers: usize,
    /// What lets a client in, and the name its jobs go by; can be given again (in the environment with commas between)
    #[arg(
        long,
        env = "VISEME_TOKENS",
        value_name = "NAME=SECRET",
        value_delimiter = ',',
        hide_env_values = true
    )]
    token: Vec<Token>,
    /// Let workers in that have nothing but this server's address and this secret: viseme work --server
    #[arg(long, env = "VISEME_WORKER_TOKEN", value_name = "SECRET", hide_env_values = true)]
    worker_token: Option<Secret>,
    /// What clients see this server as, for links: behind a proxy it cannot know
    #[arg(long, env = "VISEME_PUBLIC_URL", value_name = "URL")]
    public_url: Option<url::Url>,
    /// A folder with the web page
    #[arg(long, env = "VISEME_WEB", value_name = "FOLDER")]
    web: Option<PathBuf>,
    /// How long a client that sends a file may send nothing of it
    #[arg(long, env = "VISEME_UPLOAD_IDLE", value_name = "TIME", value_parser = parse_time, default_value = "0:30")]
    upload_idle: f64,
    /// Chin room of the mouth box for clients that send none, in pixels
    #[arg(
        long,
        env = "LIP_SYNC_BBOX_SHIFT",
        value_name = "PIXELS",
        default_value_t = 0,
        allow_negative_numbers = true
    )]
    bbox_shift: i32,
    /// Tell clients what only a developer should see
    #[arg(long, env = "VISEME_DEVELOPMENT")]
    development: bool,
    #[command(flatten)]
    pub(crate) service: ServiceArguments,
}

#[derive(Debug, Args)]
pub(crate) struct WorkArguments {
    /// Jobs that this process does at a time
    #[arg(long, env = "VISEME_WORKERS", value_name = "N", default_value_t = 1)]
    workers: usize,
    /// Do the jobs of this server, and share nothing with it; its folder for data is then a place to work in
    #[arg(
        long,
        env = "VISEME_SERVER",
        value_name = "URL",
        requires = "worker_token",
        conflicts_with_all = ["database", "bucket"]
    )]
    server: Option<RemoteUrl>,
    /// What the server was started with as its --worker-token
    #[arg(long, env = "VISEME_WORKER_TOKEN", value_name = "SECRET", hide_env_values = true)]
    worker_token: Option<Secret>,
    #[command(flatten)]
    pub(crate) service: ServiceArguments,
}

/// What a server and its workers have to agree on.
#[derive(Debug, Args)]
pub(crate) struct ServiceArguments {
    /// The folder for jobs and their files [default: viseme in the system's folder for data]
    #[arg(long, env = "VISEME_DATA", value_name = "FOLDER", help_heading = "Stores")]
    data: Option<PathBuf>,
    /// Keep the jobs in this PostgreSQL: postgres://user:password@host/database
    #[arg(
        long,
        env = "VISEME_DATABASE",
        value_name = "URL",
        hide_env_values = true,
        help_heading = "Stores"
    )]
    database: Option<Secret>,
    /// Keep the files in this bucket; keys come from the AWS_… variables
    #[arg(long, env = "VISEME_BUCKET", value_name = "NAME[/PREFIX]", help_heading = "Stores")]
    bucket: Option<String>,
    /// Where the bucket is, when it is not Amazon's
    #[arg(
        long,
        env = "VISEME_BUCKET_ENDPOINT",
        value_name = "URL",
        help_heading = "Stores",
        requires = "bucket"
    )]
    bucket_endpoint: Option<url::Url>,
    /// The region of the bucket
    #[arg(
        long,
        env = "VISEME_BUCKET_REGION",
        value_name = "REGION",
        help_heading = "Stores",
        requires = "bucket"
    )]
    bucket_region: Option<String>,
    /// Name the bucket in the path of addresses, as MinIO has it
    #[arg(long, env = "VISEME_BUCKET_PATH_STYLE", help_heading = "Stores", requires = "bucket")]
    bucket_path_style: bool,
    /// Most megabytes that the files may take
    #[arg(long, env = "VISEME_QUOTA_MB", value_name = "MB", help_heading = "Stores")]
    quota: Option<u64>,
    /// How long results and what was sent are kept
    #[arg(long, env = "VISEME_RETENTION", value_name = "TIME", value_parser = parse_time, default_value = "24:00:00", help_heading = "Stores")]
    retention: f64,
    /// How long a try of a job may take unless the job says otherwise
    #[arg(long, env = "VISEME_TIME_LIMIT", value_name = "TIME", value_parser = parse_time, default_value = "10:00", help_heading = "Jobs")]
    time_limit: f64,
    /// How long a worker may say nothing before its job is taken from it
    #[arg(long, env = "VISEME_LEASE", value_name = "TIME", value_parser = parse_time, default_value = "1:00", help_heading = "Jobs")]
    lease: f64,
    /// How long jobs may go on when the process is to end, before they are given back
    #[arg(long, env = "VISEME_GRACE", value_name = "TIME", value_parser = parse_time, default_value = "0:30", help_heading = "Jobs")]
    grace: f64,
    /// Most jobs of a kind at a time over all workers: lipsync=4; can be given again
    #[arg(long, env = "VISEME_MOST", value_name = "KIND=N", value_delimiter = ',', value_parser = parse_most, help_heading = "Jobs")]
    most: Vec<(JobKind, u32)>,
    /// What an hour of this machine costs, in US dollars: results and estimates then say what they cost
    #[arg(long, env = "LIPSYNC_GPU_USD_PER_HOUR", value_name = "USD", value_parser = parse_price, default_value_t = 0.0, help_heading = "Jobs")]
    gpu_price_per_hour: f64,
    /// Sign webhooks with this
    #[arg(
        long,
        env = "VISEME_WEBHOOK_SECRET",
        value_name = "SECRET",
        hide_env_values = true,
        help_heading = "Network"
    )]
    webhook_secret: Option<Secret>,
    /// Take http addresses from clients, not https alone
    #[arg(long, env = "VISEME_ALLOW_HTTP", help_heading = "Network")]
    allow_http: bool,
    /// A host of your own that clients may name although it is private; can be given again
    #[arg(
        long,
        env = "VISEME_ALLOW_HOST",
        value_name = "HOST[:PORT]",
        value_delimiter = ',',
        help_heading = "Network"
    )]
    allow_host: Vec<AllowedHost>,
    /// Largest video that is taken, in megabytes
    #[arg(
        long,
        env = "VISEME_MAX_VIDEO_MB",
        value_name = "MB",
        default_value_t = 500,
        help_heading = "Limits"
    )]
    max_video: u64,
    /// Largest sound that is taken, in megabytes
    #[arg(
        long,
        env = "VISEME_MAX_AUDIO_MB",
        value_name = "MB",
        default_value_t = 100,
        help_heading = "Limits"
    )]
    max_audio: u64,
    #[command(flatten)]
    limits: LimitArguments,
    #[command(flatten)]
    models: ModelArguments,
    /// What is logged: error, warn, info, debug, trace, or a filter such as viseme_server=debug,warn
    #[arg(long, env = "LOG_LEVEL", value_name = "FILTER", default_value = "info", help_heading = "Log")]
    pub(crate) log: String,
    /// How the log looks
    #[arg(long, env = "VISEME_LOG_FORMAT", default_value = "text", help_heading = "Log")]
    pub(crate) log_format: LogFormatArgument,
}

/// The models of a service.
#[derive(Debug, Args)]
#[command(next_help_heading = "Models")]
struct ModelArguments {
    /// What runs the models: rten or ort; the best that is there by default (viseme doctor tells)
    #[arg(long, env = "VISEME_RUNTIME")]
    runtime: Option<RuntimeKind>,
    /// What the models run on: cpu, openvino, cuda, tensorrt, coreml, directml, migraphx, or auto
    #[arg(long, env = "LIP_SYNC_DEVICE", default_value = "auto")]
    device: DeviceArgument,
    /// Let models compute with 16-bit floats where that is faster: not the same to the digit
    #[arg(long, env = "VISEME_REDUCED_PRECISION")]
    reduced_precision: bool,
    /// Pull these models before the first job is done (viseme models list names them); true is taken, too: our own are always
    /// loaded first
    #[arg(long, env = "PRELOAD_MODELS", value_name = "MODEL", value_delimiter = ',')]
    preload: Vec<String>,
    /// Accept the licences of those models that are not free for commercial use
    #[arg(long, env = "VISEME_ACCEPT_LICENSE")]
    accept_license: bool,
}

/// A device, or whichever is best.
#[derive(Debug, Clone, Copy)]
struct DeviceArgument(Option<Device>);

impl FromStr for DeviceArgument {
    type Err = <Device as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self(if text == "auto" { None } else { Some(text.parse()?) }))
    }
}

impl ModelArguments {
    fn compute(&self) -> RuntimeRequest {
        let Self { runtime, device, reduced_precision, .. } = *self;
        RuntimeRequest { runtime, device: device.0, reduced_precision }
    }

    /// The models to pull. Services before ours took a switch here.
    fn preload(&self) -> Vec<String> {
        let is_model = |name: &&String| !["", "true", "false"].contains(&name.as_str());
        self.preload.iter().filter(is_model).cloned().collect()
    }
}

/// How the log looks.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormatArgument {
    /// Lines for people
    Text,
    /// One JSON object for each line
    Json,
}

impl From<LogFormatArgument> for LogFormat {
    fn from(format: LogFormatArgument) -> Self {
        match format {
            LogFormatArgument::Text => Self::Text,
            LogFormatArgument::Json => Self::Json,
        }
    }
}

impl ServeArguments {
    /// The settings that these arguments ask for.
    ///
    /// # Errors
    /// When there is no folder for data.
    pub(crate) fn settings(self) -> Result<ServerSettings> {
        Ok(ServerSettings {
            listen: self.listen,
            workers: self.workers,
            tokens: self.token,
            worker_token: self.worker_token,
            public_url: self.public_url,
            web: self.web,
            upload_idle: Duration::from_secs_f64(self.upload_idle),
            bbox_shift: self.bbox_shift,
            is_development: self.development,
            ..self.service.settings()?
        })
    }
}

impl WorkArguments {
    /// As [`ServeArguments::settings`].
    pub(crate) fn settings(self) -> Result<ServerSettings> {
        Ok(ServerSettings {
            workers: self.workers.max(1),
            server: self.server,
            worker_token: self.worker_token,
            ..self.service.settings()?
        })
    }
}

impl ServiceArguments {
    fn settings(self) -> Result<ServerSettings> {
        let bucket = self.bucket();
        let data = match self.data {
            Some(data) => data,
            None => data_folder()?,
        };
        let defaults = ServerSettings::new(data);
        Ok(ServerSettings {
            bucket,
            database: self.database,
            quota: self.quota.map(|megabytes| megabytes.saturating_mul(1_000_000)),
            retention: Duration::from_secs_f64(self.retention),
            time_limit: Duration::from_secs_f64(self.time_limit),
            lease: Duration::from_secs_f64(self.lease),
            grace: Duration::from_secs_f64(self.grace),
            most_running: self.most.into_iter().collect::<BTreeMap<_, _>>(),
            gpu_usd_per_hour: self.gpu_price_per_hour,
            webhook_secret: self.webhook_secret,
            network: NetworkPolicy {
                allow_http: self.allow_http,
                allowed_hosts: self.allow_host,
                ..NetworkPolicy::default()
            },
            sizes: SizeLimits {
                video: self.max_video.saturating_mul(1_000_000),
                audio: self.max_audio.saturating_mul(1_000_000),
                ..defaults.sizes
            },
            media: self.limits.limits(),
            compute: self.models.compute(),
            preload: self.models.preload(),
            accept_licences: self.models.accept_license,
            ..defaults
        })
    }

    fn bucket(&self) -> Option<BucketSettings> {
        let (bucket, prefix) = match self.bucket.as_deref()?.split_once('/') {
            Some((bucket, prefix)) => (bucket, prefix),
            None => (self.bucket.as_deref()?, ""),
        };
        let endpoint = self.bucket_endpoint.as_ref();
        Some(BucketSettings {
            region: self.bucket_region.clone(),
            endpoint: endpoint.map(|url| url.as_str().trim_end_matches('/').to_owned()),
            prefix: prefix.to_owned(),
            path_style: self.bucket_path_style,
            allow_http: endpoint.is_some_and(|url| url.scheme() == "http"),
            ..BucketSettings::new(bucket)
        })
    }
}

fn data_folder() -> Result<PathBuf> {
    let strategy = etcetera::choose_base_strategy().map_err(|_| {
        Error::invalid_input("there is no home folder for the data").with_hint("Name a folder with --data.")
    })?;
    Ok(etcetera::BaseStrategy::data_dir(&strategy).join("viseme"))
}

fn parse_price(text: &str) -> Result<f64, String> {
    let price: Option<f64> = text.parse().ok();
    price.filter(|price| price.is_finite() && *price >= 0.0).ok_or_else(|| "a price is 0 or more".to_owned())
}

fn parse_most(text: &str) -> Result<(JobKind, u32), String> {
    let wrong = || "write KIND=N, such as lipsync=4".to_owned();
    let (kind, most) = text.split_once('=').ok_or_else(wrong)?;
    let kind = JobKind::ALL.into_iter().find(|known| known.name() == kind).ok_or_else(wrong)?;
    most.parse().ok().filter(|most| *most > 0).map(|most| (kind, most)).ok_or_else(wrong)
}
