//! What the tests of the service are made with: the server, a client, storage of the client's own, media.
//!
//! ```ignore
//! let (files, bucket) = (Files::start(), Bucket::start());
//! let server = Server::start(&["--allow-host", &files.site(), "--allow-host", &bucket.site()]);
//! let answer = server.post("/lipsync", &json!({ "video_url": files.add("talk.mp4", &presenter()), … }));
//! let job = server.ended(answer.text("task_id"));
//! ```

mod answer;
mod bucket;
mod files;
mod form;
mod media;
mod receiver;
mod redact;
mod server;

pub(crate) use answer::Answer;
pub(crate) use bucket::Bucket;
pub(crate) use files::Files;
pub(crate) use form::Form;
pub(crate) use media::{
    changed_share, golden, length_s, portrait, presenter, speech, stored, two_people, video,
};
pub(crate) use receiver::{Heard, Receiver};
pub(crate) use redact::{redacted, shape};
pub(crate) use server::{Caller, Server, status_of};
