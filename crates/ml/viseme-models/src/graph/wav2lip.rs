//! The generator of Wav2Lip, 96 pixels (`models/wav2lip.py` and `models/conv.py` of Rudrabha/Wav2Lip).
//!
//! Inputs `mel` `[n, 1, 80, 16]` and `face` `[n, 6, 96, 96]` (BGR, 0 to 1; the first three channels with the lower half
//! zeroed), output `out` `[n, 3, 96, 96]` (BGR, 0 to 1).

use super::bad;
use super::builder::{Builder, Map};
use super::layers::{Conv, Kind};
use super::nodes::Extent::{Fixed, Free};
use viseme_core::Result;

/// A convolution with normalisation and rectifier: kernel, stride, padding, and whether its input is added.
type Block = (usize, [usize; 2], usize, bool);

const RESIDUAL: Block = (3, [1, 1], 1, true);
const HALVING: Block = (3, [2, 2], 1, false);
const VALID: Block = (3, [1, 1], 0, false);
const POINTWISE: Block = (1, [1, 1], 0, false);

/// 80 by 16 mel values down to one.
const AUDIO_ENCODER: &[Block] = &[
    (3, [1, 1], 1, false),
    RESIDUAL,
    RESIDUAL,
    (3, [3, 1], 1, false),
    RESIDUAL,
    RESIDUAL,
    (3, [3, 3], 1, false),
    RESIDUAL,
    RESIDUAL,
    (3, [3, 2], 1, false),
    RESIDUAL,
    VALID,
    POINTWISE,
];

/// 96 by 96 pixels down to one, in seven stages.
const FACE_ENCODER: &[&[Block]] = &[
    &[(7, [1, 1], 3, false)],
    &[HALVING, RESIDUAL, RESIDUAL],
    &[HALVING, RESIDUAL, RESIDUAL, RESIDUAL],
    &[HALVING, RESIDUAL, RESIDUAL],
    &[HALVING, RESIDUAL, RESIDUAL],
    &[HALVING, RESIDUAL],
    &[VALID, POINTWISE],
];

/// How many residual blocks follow the transposed convolution of stages 1 to 6 of the decoder.
const DECODER_RESIDUALS: [usize; 6] = [1, 2, 2, 2, 2, 2];

/// The decoder takes in what the face encoder saw, the smallest first.
pub(super) fn build(net: &mut Builder<'_>) -> Result<()> {
    let mel = net.input("mel", 1, &[Free("n"), Fixed(1), Fixed(80), Fixed(16)]);
    let face = net.input("face", 6, &[Free("n"), Fixed(6), Fixed(96), Fixed(96)]);
    let mut value = stage(net, mel, "audio_encoder", 0, AUDIO_ENCODER)?;
    let mut seen = Vec::new();
    let mut picture = face;
    for (index, blocks) in FACE_ENCODER.iter().enumerate() {
        picture = stage(net, picture, &format!("face_encoder_blocks.{index}"), 0, blocks)?;
        seen.push(picture.clone());
    }
    for index in 0..=DECODER_RESIDUALS.len() {
        let name = format!("face_decoder_blocks.{index}");
        value = match index.checked_sub(1) {
            None => stage(net, value, &name, 0, &[POINTWISE])?,
            Some(transposed) => {
                let larger = enlarge(net, &value, &name, index == 1)?;
                stage(net, larger, &name, 1, &vec![RESIDUAL; DECODER_RESIDUALS[transposed]])?
            }
        };
        let skipped = seen.pop().ok_or_else(|| bad("the decoder has more stages than the encoder"))?;
        value = net.concat(&[&value, &skipped], &format!("{name}.concat"));
    }
    let value = stage(net, value, "output_block", 0, &[(3, [1, 1], 1, false)])?;
    let value = net.conv(&value, conv("output_block.1", None, POINTWISE, Kind::Plain))?;
    if value.channels != 3 {
        return Err(bad(format!("its net paints {} channels instead of 3", value.channels)));
    }
    net.output("Sigmoid", &value, "out", &[Free("n"), Fixed(3), Fixed(96), Fixed(96)]);
    Ok(())
}

/// Blocks behind each other, named `PREFIX.first` and on.
fn stage(net: &mut Builder<'_>, from: Map, prefix: &str, first: usize, blocks: &[Block]) -> Result<Map> {
    let mut value = from;
    for (index, &block) in blocks.iter().enumerate() {
        let name = format!("{prefix}.{}.conv_block", index + first);
        let norm = format!("{name}.1");
        let made = net.conv(&value, conv(&format!("{name}.0"), Some(&norm), block, Kind::Plain))?;
        let sum = if block.3 { net.add(&made, &value)? } else { made };
        value = net.relu(&sum);
    }
    Ok(value)
}

/// The transposed convolution at the start of a stage of the decoder; the first goes from 1 to 3 pixels.
fn enlarge(net: &mut Builder<'_>, from: &Map, prefix: &str, is_first: bool) -> Result<Map> {
    let name = format!("{prefix}.0.conv_block");
    let (block, added) = if is_first { (VALID, 0) } else { (HALVING, 1) };
    let norm = format!("{name}.1");
    let made = net.conv(from, conv(&format!("{name}.0"), Some(&norm), block, Kind::Transposed(added)))?;
    Ok(net.relu(&made))
}

fn conv<'a>(name: &'a str, norm: Option<&'a str>, block: Block, kind: Kind) -> Conv<'a> {
    let (kernel, stride, padding, _) = block;
    Conv { name, norm, kernel: [kernel; 2], stride, padding: [padding; 2], kind }
}
