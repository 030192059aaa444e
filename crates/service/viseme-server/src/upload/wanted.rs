//! Which files a client may send, and whether one is what it should be.

use crate::error::{ApiError, ApiResult};
use crate::settings::SizeLimits;
use std::path::Path;
use viseme_core::{Error, Limits};
use viseme_media::{MediaInfo, Tools, probe};

/// What a file has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Something with a picture: a video, or a photo.
    Video,
    /// Something with sound.
    Audio,
    /// A photo.
    Image,
}

/// A file that a client may send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    /// The name of its part.
    pub(crate) part: &'static str,
    pub(crate) kind: FileKind,
    /// Checks the name that the client gives the file.
    pub(crate) check_name: fn(&str) -> ApiResult<()>,
    /// Checks what is in it, beyond what its kind asks for.
    pub(crate) check_content: fn(&MediaInfo) -> ApiResult<()>,
    /// Says in the words of its clients why a file is refused.
    pub(crate) in_their_words: fn(ApiError) -> ApiError,
}

impl Wanted {
    /// A part of this name and kind, whatever the file is called.
    pub(crate) const fn new(part: &'static str, kind: FileKind) -> Self {
        Self { part, kind, check_name: |_| Ok(()), check_content: |_| Ok(()), in_their_words: |error| error }
    }

    /// The error for a file that is refused.
    pub(super) fn refused(&self, error: ApiError) -> ApiError {
        (self.in_their_words)(error).with_param(self.part)
    }

    /// Most bytes of the file.
    pub(super) fn most_bytes(&self, sizes: &SizeLimits) -> u64 {
        match self.kind {
            FileKind::Video => sizes.video,
            FileKind::Audio => sizes.audio,
            FileKind::Image => sizes.image,
        }
    }
}

/// Checks that a file is what its part says, by what is in it.
///
/// # Errors
/// 400 where it is not; what else is wrong with it.
pub(crate) async fn look_at(path: &Path, wanted: &Wanted, limits: &Limits) -> ApiResult<MediaInfo> {
    let (file, limits) = (path.to_owned(), limits.clone());
    let probed = tokio::task::spawn_blocking(move || probe(&Tools::locate()?, &file, &limits)).await;
    let probed = probed.map_err(|error| Error::internal("the probe panicked").with_source(error))?;
    let info = probed.map_err(|error| {
        let without_path = |words: &str| words.replace(&path.display().to_string(), wanted.part);
        let mut error = ApiError::from(error).with_param(wanted.part);
        error.message = without_path(&error.message);
        error.hint = error.hint.as_deref().map(without_path);
        error
    })?;
    let missing = match wanted.kind {
        FileKind::Video if info.video.is_none() => Some("has no picture"),
        FileKind::Audio if info.default_audio().is_none() => Some("has no sound"),
        FileKind::Image if !info.is_still => Some("is no picture"),
        _ => None,
    };
    let checked = match missing {
        Some(what) => Err(ApiError::bad_request(format!("the {} {what}", wanted.part))),
        None => (wanted.check_content)(&info),
    };
    checked.map(|()| info).map_err(|error| error.with_param(wanted.part))
}
