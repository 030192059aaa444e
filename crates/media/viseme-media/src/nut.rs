//! Raw frames with their exact times on a pipe: a minimal writer of the NUT container.
//!
//! Raw video alone carries no times, and Matroska would round them to nanoseconds or worse. NUT takes any time base. The
//! format is described at <https://ffmpeg.org/~michael/nut.txt>; section names in the comments are its.

use crate::Ratio;
use viseme_core::{Pts, Timebase};
use viseme_imaging::{ChromaSampling, PixelFormat};

const FILE_ID: &[u8] = b"nut/multimedia container\0";
const MAIN_START_CODE: u64 = 0x4e4d_7a56_1f5f_04ad;
const STREAM_START_CODE: u64 = 0x4e53_1140_5bf2_f9db;
const SYNC_POINT_START_CODE: u64 = 0x4e4b_e4ad_eeca_4569;
const INFO_START_CODE: u64 = 0x4e49_ab68_b596_ba78;

/// The one frame code that we use; all others are marked as invalid.
const FRAME_CODE: u8 = 1;
/// Key frame, with coded time, coded size and checksum.
const FRAME_FLAGS: u64 = 1 | 8 | 32 | 64;
const INVALID_FLAG: u64 = 8192;
/// A packet must have a sync point at most this far before it: we write one before every frame.
const MAX_DISTANCE: u64 = 65536;
/// Coded times from `1 << MSB_PTS_SHIFT` on are absolute.
const MSB_PTS_SHIFT: u64 = 7;
/// A packet whose length is above this has a checksum of its header.
const LONG_PACKET: u64 = 4096;

/// The start of a file with one stream of raw frames.
///
/// `frame_rate` is only a hint, for the encoder's rate control and the level it writes: times are those of the frames.
pub(crate) fn header(
    format: PixelFormat,
    (width, height): (u32, u32),
    sample_aspect_ratio: Option<Ratio>,
    timebase: Timebase,
    frame_rate: Ratio,
) -> Vec<u8> {
    let mut file = FILE_ID.to_vec();
    packet(&mut file, MAIN_START_CODE, &main_header(timebase));
    packet(&mut file, STREAM_START_CODE, &stream_header(format, (width, height), sample_aspect_ratio));
    packet(&mut file, INFO_START_CODE, &frame_rate_info(frame_rate));
    file
}

/// What stands in front of the `frame_bytes` bytes of a frame. `pts` is not negative.
pub(crate) fn frame_header(pts: Pts, frame_bytes: usize) -> Vec<u8> {
    let pts = pts.0.max(0).unsigned_abs();
    let mut bytes = Vec::with_capacity(64);
    let mut sync_point = Vec::new();
    // `global_key_pts` in time base 0 of 1, `back_ptr_div16` to this very sync point.
    number(&mut sync_point, pts);
    number(&mut sync_point, 0);
    packet(&mut bytes, SYNC_POINT_START_CODE, &sync_point);

    let start = bytes.len();
    bytes.push(FRAME_CODE);
    number(&mut bytes, pts + (1 << MSB_PTS_SHIFT));
    number(&mut bytes, frame_bytes as u64);
    let checksum = crc32(&bytes[start..]);
    bytes.extend(checksum.to_be_bytes());
    bytes
}

/// "main header".
fn main_header(timebase: Timebase) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Version, streams, maximum distance, time bases.
    for value in [3, 1, MAX_DISTANCE, 1, u64::from(timebase.numerator()), u64::from(timebase.denominator())] {
        number(&mut bytes, value);
    }
    // The table of the 256 frame codes, as runs of equal ones; code 'N' starts the start codes and is not counted.
    for (flags, count) in [(INVALID_FLAG, 1), (FRAME_FLAGS, 1), (INVALID_FLAG, 253)] {
        // Six fields follow: time delta, size multiplier, stream, size, reserved, count.
        for value in [flags, 6, 0, 1, 0, 0, 0, count] {
            number(&mut bytes, value);
        }
    }
    // No elision headers.
    number(&mut bytes, 0);
    bytes
}

/// "stream header".
fn stream_header(format: PixelFormat, (width, height): (u32, u32), aspect: Option<Ratio>) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Stream 0, class video.
    number(&mut bytes, 0);
    number(&mut bytes, 0);
    counted(&mut bytes, &fourcc(format));
    // Time base 0; times may lie any distance apart; no reordering; no flags; no codec data.
    for value in [0, MSB_PTS_SHIFT, 1 << 30, 0, 0, 0] {
        number(&mut bytes, value);
    }
    let (sample_width, sample_height) =
        aspect.map_or((0, 0), |aspect| (aspect.numerator, aspect.denominator));
    for value in [width, height, sample_width, sample_height] {
        number(&mut bytes, u64::from(value));
    }
    // The meaning of the colours is told to ffmpeg on its command line.
    number(&mut bytes, 0);
    bytes
}

/// "info packet" of stream 0, with ffmpeg's own key.
fn frame_rate_info(rate: Ratio) -> Vec<u8> {
    let mut bytes = Vec::new();
    // Stream number plus one, chapter, its start and length, number of fields.
    for value in [1, 0, 0, 0, 1] {
        number(&mut bytes, value);
    }
    counted(&mut bytes, b"r_frame_rate");
    // The type -1, text, as a signed number.
    number(&mut bytes, 2);
    counted(&mut bytes, format!("{}/{}", rate.numerator, rate.denominator).as_bytes());
    bytes
}

/// ffmpeg's code of a raw format (`avpriv_pix_fmt` in libavcodec/raw.c): a letter, planes, chroma shifts, bits.
fn fourcc(format: PixelFormat) -> [u8; 4] {
    let planes = b'0' + format.plane_count() as u8;
    match (format.chroma, format.bit_depth, format.alpha) {
        (ChromaSampling::Yuv420, 8, false) => *b"I420",
        (ChromaSampling::Yuv422, 8, false) => *b"Y42B",
        (ChromaSampling::Yuv444, 8, false) => *b"444P",
        (ChromaSampling::Gray, 8, false) => *b"Y800",
        (ChromaSampling::Gbr, bits, _) => [b'G', planes, 0, bits],
        (ChromaSampling::Yuv420, bits, _) => [b'Y', planes, 11, bits],
        (ChromaSampling::Yuv422, bits, _) => [b'Y', planes, 10, bits],
        (ChromaSampling::Yuv444 | ChromaSampling::Gray, bits, _) => [b'Y', planes, 0, bits],
    }
}

/// A packet: start code, length of what follows, payload, checksum.
fn packet(file: &mut Vec<u8>, start_code: u64, payload: &[u8]) {
    let start = file.len();
    file.extend(start_code.to_be_bytes());
    let length = payload.len() as u64 + 4;
    number(file, length);
    if length > LONG_PACKET {
        let checksum = crc32(&file[start..]);
        file.extend(checksum.to_be_bytes());
    }
    file.extend(payload);
    file.extend(crc32(payload).to_be_bytes());
}

/// "v": groups of seven bits, most significant first, the high bit set on all but the last.
fn number(bytes: &mut Vec<u8>, value: u64) {
    let groups = (64 - value.leading_zeros()).div_ceil(7).max(1);
    for group in (0..groups).rev() {
        let more = u8::from(group > 0) << 7;
        bytes.push((value >> (7 * group)) as u8 & 0x7f | more);
    }
}

/// "vb": a length and as many bytes.
fn counted(bytes: &mut Vec<u8>, content: &[u8]) {
    number(bytes, content.len() as u64);
    bytes.extend(content);
}

/// The checksum of the format: CRC-32 with generator 0x04C11DB7, most significant bit first, from 0, not inverted.
fn crc32(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte) << 24, |crc, _| {
            if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_coded_most_significant_group_first() {
        let coded = |value| {
            let mut bytes = Vec::new();
            number(&mut bytes, value);
            bytes
        };
        assert_eq!(coded(0), [0]);
        assert_eq!(coded(127), [0x7f]);
        assert_eq!(coded(128), [0x81, 0x00]);
        assert_eq!(coded(u64::MAX).len(), 10);
    }

    #[test]
    fn the_checksum_is_the_one_of_the_format() {
        // CRC-32/CKSUM of the catalogue of parametrised CRC algorithms: the same but inverted; its check value.
        assert_eq!(!crc32(b"123456789"), 0x765e_7680);
    }
}
