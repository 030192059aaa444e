//! Probe, decode, encode and mux through ffmpeg child processes.
//!
//! The one crate of Viseme that starts a process. A decoder that crashes on a hostile file dies in a child with limits
//! on its memory and its time; here it is an error with the last lines that the child said.
//!
//! * [`Tools::locate`] finds ffmpeg and ffprobe and checks their version.
//! * [`probe`] says what is in a file, after its first bytes have shown that it is a media file and no playlist.
//! * [`VideoReader`] decodes to the planes that the file has, every frame once, at the times that the file has.
//! * [`AudioReader`] decodes to mono samples on the same clock.
//! * [`VideoWriter`] encodes once, at the times that the frames carry.
//! * [`join_pictures`] makes one file of parts that were encoded one by one.
//! * [`copy_picture`] takes a picture in which nothing was changed as it is.
//! * [`mix`](mix()) lays sounds over each other, each at its own time.
//! * [`SoundEncoder`] brings a speech into the codec of the output while the picture is made.
//! * [`mux`] joins picture, speech and what else the source had; [`OutputFile`] puts the result in place in one step.
//!
//! **The clock.** All times count from the *media time zero* of a file: the time that its own timestamps call zero, or
//! the file's first timestamp where a container starts its clock anywhere (MPEG streams) or the picture starts before
//! zero. [`MediaInfo::origin_s`] is that shift; the readers apply it, so that picture and sound stay together.

mod audio;
mod codec;
mod container;
mod encoder_options;
mod encoders;
mod input;
mod join;
mod limits;
mod mix;
mod mux;
mod nut;
mod output_file;
mod picture_copy;
mod pixel_format;
mod probe;
mod process;
mod reader;
mod reencode;
mod sniff;
mod stderr_tail;
mod tools;
mod traits;
mod writer;

pub use audio::AudioReader;
pub use codec::{EncodeSettings, VideoCodec};
pub use container::Container;
pub use join::{PicturePart, join_pictures};
pub use mix::{MixPart, mix};
pub use mux::{MuxPlan, MuxReport, SoundEncoder, SourceStreams, Speech, mux, own_sound};
pub use output_file::OutputFile;
pub use picture_copy::copy_picture;
pub use probe::{AudioInfo, ColourTags, MediaInfo, OtherStream, Ratio, StreamKind, VideoInfo, probe};
pub use reader::{ReadOptions, ReadStart, VideoReader};
pub use reencode::reencode;
pub use tools::Tools;
pub use traits::{FrameSink, FrameSource, WrittenVideo};
pub use writer::{OutputVideo, VideoWriter};
