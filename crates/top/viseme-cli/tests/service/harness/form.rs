//! Forms with files in them: `multipart/form-data` (RFC 7578).

use std::path::Path;

/// A form under way.
#[derive(Debug, Default, Clone)]
pub(crate) struct Form(Vec<u8>);

impl Form {
    const BOUNDARY: &str = "viseme-test-7MA4YWxk";

    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// With the video and the speech of these files, under their own names.
    pub(crate) fn of(video: &Path, audio: &Path) -> Self {
        Self::new().file("video", video).file("audio", audio)
    }

    /// With a field.
    pub(crate) fn field(self, name: &str, value: &str) -> Self {
        self.part(&format!("name=\"{name}\""), value.as_bytes())
    }

    /// With a file under its own name.
    pub(crate) fn file(self, name: &str, file: &Path) -> Self {
        let file_name = file.file_name().expect("a name").to_string_lossy().into_owned();
        self.bytes(name, &file_name, &std::fs::read(file).expect("a file"))
    }

    /// With a file of these bytes.
    pub(crate) fn bytes(self, name: &str, file_name: &str, bytes: &[u8]) -> Self {
        self.part(&format!("name=\"{name}\"; filename=\"{file_name}\""), bytes)
    }

    fn part(mut self, what: &str, bytes: &[u8]) -> Self {
        let head = format!("--{}\r\ncontent-disposition: form-data; {what}\r\n\r\n", Self::BOUNDARY);
        self.0.extend_from_slice(head.as_bytes());
        self.0.extend_from_slice(bytes);
        self.0.extend_from_slice(b"\r\n");
        self
    }

    /// The header `Content-Type`.
    pub(crate) fn content_type() -> String {
        format!("multipart/form-data; boundary={}", Self::BOUNDARY)
    }

    /// The body.
    pub(crate) fn body(mut self) -> Vec<u8> {
        self.0.extend_from_slice(format!("--{}--\r\n", Self::BOUNDARY).as_bytes());
        self.0
    }

    /// What has been written so far, without the end.
    pub(crate) fn unfinished(self) -> Vec<u8> {
        self.0
    }
}
