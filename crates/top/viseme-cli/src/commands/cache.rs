//! `viseme cache`: what is kept of videos for the next speech on them.

use crate::arguments::{CacheArguments, CacheCommand};
use crate::printer;
use std::process::ExitCode;
use viseme::{AnalysisCache, CacheInfo};
use viseme_core::Result;

/// Says what there is, or removes it.
pub(crate) fn run(arguments: &CacheArguments) -> Result<ExitCode> {
    let Some(cache) = AnalysisCache::from_environment()? else {
        printer::say("the cache is turned off");
        return Ok(ExitCode::SUCCESS);
    };
    match arguments.command {
        CacheCommand::Info { json: true } => printer::json(&cache.info()?)?,
        CacheCommand::Info { json: false } => {
            let info = cache.info()?;
            printer::data(&info.folder.display().to_string())?;
            printer::data(&format!("{}, at most {} MB", held(&info), megabytes(info.most_bytes)))?;
        }
        CacheCommand::Clear => printer::say(&format!("removed {}", held(&cache.clear()?))),
    }
    Ok(ExitCode::SUCCESS)
}

fn held(info: &CacheInfo) -> String {
    let plural = if info.entries == 1 { "video" } else { "videos" };
    format!("{} {plural}, {} MB", info.entries, megabytes(info.bytes))
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}
