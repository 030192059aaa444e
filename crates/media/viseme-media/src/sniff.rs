//! What a file is, by its first bytes, before any demuxer sees it.
//!
//! ffmpeg would guess, and some of its demuxers (HLS, DASH, concat, SDP, image sequences) open other files and URLs
//! that the content names. So we recognise the containers that we take ourselves and force their demuxer.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use viseme_core::{Error, ErrorKind, Result};

/// How much of the file is looked at: enough for three packets of an MPEG transport stream and for its text test.
const HEAD_BYTES: u64 = 4096;

/// Recognises the container of `path` and names the one ffmpeg demuxer that may read it.
///
/// # Errors
/// [`ErrorKind::NotFound`], or [`ErrorKind::InvalidInput`] that says what the file is instead: empty, text, a playlist.
pub(crate) fn demuxer_of(path: &Path) -> Result<&'static str> {
    let name = path.display();
    let metadata = std::fs::metadata(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => Error::new(ErrorKind::NotFound, format!("{name} does not exist")),
        _ => unreadable(path, error),
    })?;
    if !metadata.is_file() {
        return Err(Error::invalid_input(format!("{name} is not a file")));
    }
    let head = read_head(path).map_err(|error| unreadable(path, error))?;
    if head.is_empty() {
        return Err(Error::invalid_input(format!("{name} is empty")));
    }
    demuxer_of_head(&head)
        .ok_or_else(|| Error::invalid_input(format!("{name} {}", what_it_is_instead(&head))))
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    Error::invalid_input(format!("cannot read {}: {error}", path.display())).with_source(error)
}

/// The first bytes; those after it when an ID3 tag stands in front, which MP3, AAC and FLAC files may have.
fn read_head(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let mut head = Vec::new();
    file.by_ref().take(HEAD_BYTES).read_to_end(&mut head)?;
    let Some(length) = id3_length(&head) else { return Ok(head) };
    let mut after_tag = Vec::new();
    file.seek(SeekFrom::Start(length))?;
    file.take(HEAD_BYTES).read_to_end(&mut after_tag)?;
    // MP3 files may pad the tag with zeros.
    let start = after_tag.iter().position(|&byte| byte != 0).unwrap_or(after_tag.len());
    after_tag.drain(..start);
    if demuxer_of_head(&after_tag).is_none() {
        // A tag is the mark of MP3: the audio starts further on.
        return Ok(vec![0xff, 0xfb, 0x90, 0x00]);
    }
    Ok(after_tag)
}

/// Length of the `ID3v2` tag at the start, header included (id3.org, `ID3v2.4.0`, section 3.1).
fn id3_length(head: &[u8]) -> Option<u64> {
    let header = head.get(..10).filter(|header| header.starts_with(b"ID3"))?;
    let size = header[6..].iter().fold(0, |size, &byte| (size << 7) | u64::from(byte & 0x7f));
    Some(10 + size)
}

fn demuxer_of_head(head: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, magic: &[u8]| head.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    let table: &[(usize, &[u8], &str)] = &[
        (4, b"ftyp", "mov"),
        (4, b"moov", "mov"),
        (4, b"mdat", "mov"),
        (4, b"wide", "mov"),
        (4, b"free", "mov"),
        (4, b"skip", "mov"),
        (4, b"pnot", "mov"),
        (0, b"\x1a\x45\xdf\xa3", "matroska"),
        (0, b"OggS", "ogg"),
        (0, b"fLaC", "flac"),
        (0, b"FLV\x01", "flv"),
        (0, b"\x00\x00\x01\xba", "mpeg"),
        (0, b"\x00\x00\x01\xb3", "mpegvideo"),
        (0, b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", "asf"),
        (0, b"\xff\xd8\xff", "jpeg_pipe"),
        (0, b"\x89PNG\r\n\x1a\n", "png_pipe"),
        (0, b"GIF8", "gif"),
        (0, b"caff", "caf"),
        (0, b"#!AMR", "amr"),
        (0, b"\x0b\x77", "ac3"),
    ];
    if let Some((_, _, demuxer)) = table.iter().find(|(offset, magic, _)| at(*offset, magic)) {
        return Some(demuxer);
    }
    if at(0, b"RIFF") || at(0, b"RF64") {
        return match head.get(8..12)? {
            b"AVI " | b"AVIX" => Some("avi"),
            b"WAVE" => Some("wav"),
            b"WEBP" => Some("webp_pipe"),
            _ => None,
        };
    }
    if at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")) {
        return Some("aiff");
    }
    if [0, 188, 376].iter().all(|&offset| at(offset, b"\x47"))
        || [4, 196, 388].iter().all(|&o| at(o, b"\x47"))
    {
        return Some("mpegts");
    }
    audio_sync_word(head)
}

/// MP3 and AAC without any container start with a frame header: twelve or eleven set bits.
fn audio_sync_word(head: &[u8]) -> Option<&'static str> {
    let (&first, &second, &third) = (head.first()?, head.get(1)?, head.get(2)?);
    if first != 0xff {
        return None;
    }
    // ISO/IEC 13818-7: sync word of 12 bits, layer always 0.
    if second & 0xf6 == 0xf0 {
        return Some("aac");
    }
    // ISO/IEC 11172-3: sync word of 11 bits; version 1, layer 0, bit rate 15 and sample rate 3 are reserved.
    let valid = second & 0xe0 == 0xe0
        && second & 0x18 != 0x08
        && second & 0x06 != 0
        && third & 0xf0 != 0xf0
        && third & 0x0c != 0x0c;
    valid.then_some("mp3")
}

/// Completes "talk.mp4 …" for a file that is none of the containers that we take.
fn what_it_is_instead(head: &[u8]) -> &'static str {
    let text = String::from_utf8_lossy(head);
    let text = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let lower = text.to_ascii_lowercase();
    let is_playlist = ["#extm3u", "ffconcat", "v=0", "[playlist]", "[reference]"]
        .iter()
        .any(|m| lower.starts_with(m))
        || ["<mpd", "<smil", "<asx", "<playlist", "<smoothstreamingmedia"].iter().any(|m| lower.contains(m))
        || lower.lines().any(|line| line.trim_start().starts_with("file ") || line.contains("://"));
    let is_text = !head.contains(&0) && !text.contains(char::REPLACEMENT_CHARACTER);
    match (is_text, is_playlist) {
        (true, true) => "is a playlist or script that names other files, not a media file",
        (true, false) => "is text, not a media file",
        _ => {
            "is not a media file that we know (mp4, mov, mkv, webm, avi, mpg; mp3, wav, m4a, aac, ogg, flac)"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_told_by_their_first_bytes() {
        let cases: [(&[u8], Option<&str>); 12] = [
            (b"\0\0\0\x20ftypisom", Some("mov")),
            (b"RIFF\x10\0\0\0AVI LIST", Some("avi")),
            (b"RIFF\x10\0\0\0WAVEfmt ", Some("wav")),
            (b"RIFF\x10\0\0\0RMIDdata", None),
            (b"\xff\xfb\x90\x64", Some("mp3")),
            (b"\xff\xf1\x50\x80", Some("aac")),
            (b"\xff\xff\xff\xff", None),
            (b"\x1a\x45\xdf\xa3", Some("matroska")),
            (b"#EXTM3U\n", None),
            (b"ffconcat version 1.0", None),
            (b"", None),
            (b"\xff", None),
        ];
        for (head, expected) in cases {
            assert_eq!(demuxer_of_head(head), expected, "{head:?}");
        }
    }

    #[test]
    fn playlists_are_named_as_such() {
        for text in [
            "#EXTM3U\n#EXT-X-VERSION:3\nsegment.ts\n",
            "\u{feff}\n ffconcat version 1.0\nfile /etc/passwd",
            "file '/etc/passwd'\n",
            "v=0\no=- 0 0 IN IP4 127.0.0.1\n",
            "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\"></MPD>",
            "http://example.org/video.mp4",
        ] {
            assert!(what_it_is_instead(text.as_bytes()).contains("playlist"), "{text}");
        }
        assert_eq!(what_it_is_instead(b"dear diary"), "is text, not a media file");
    }

    #[test]
    fn an_id3_tag_is_skipped() {
        assert_eq!(id3_length(b"ID3\x04\0\0\0\0\x02\x01rest"), Some(10 + 257));
    }
}
