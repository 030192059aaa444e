//! LR-ASD, which sees and hears who speaks (`model/Model.py`, `Encoder.py` and `Classifier.py` of `Junhua-Liao/LR-ASD`).
//!
//! Inputs `face` `[frames, 112, 112]` (one face, grey, 0 to 255, 25 a second) and `mfcc` `[4 frames, 13]` (100 a second),
//! output `logits` `[frames, 2]`: silent, speaking.
//!
//! Its three-dimensional convolutions are each over space or over time alone. Here pictures are the batch of the former, and
//! the latter see time as height and space as width: runtimes without three-dimensional convolutions run it.

use super::bad;
use super::builder::{Builder, Map};
use super::layers::{Conv, Kind};
use super::nodes::Extent::{Fixed, Free};
use super::nodes::{int, ints};
use viseme_core::Result;

/// What `BatchNorm` adds to the variance in this net.
const EPSILON: f64 = 1e-3;

/// The side of a picture, and of its maps in each block.
const SIDE: usize = 112;
const SIDES: [usize; 3] = [56, 28, 14];

/// Mean and deviation of a picture, as shares of white (`forward_visual_frontend`).
const MEAN: f32 = 0.4161;
const DEVIATION: f32 = 0.1688;

/// The two kernels of a block, in space or coefficients and then in time.
const KERNELS: [usize; 2] = [5, 3];

/// The whole net.
pub(super) fn build(net: &mut Builder<'_>) -> Result<()> {
    net.set_epsilon(EPSILON);
    let seen = see(net)?;
    let heard = hear(net)?;
    let both = net.concat(&[&heard, &seen], "both");
    let both = attend(net, &both, "model.fusion")?;
    let followed = follow(net, &both)?;
    let followed = attend(net, &followed, "model.detector.attention")?;
    let rows = transposed(net, &followed, "rows.first", &[3, 0, 1, 2]);
    let rows = reshaped(net, &rows, "rows", followed.channels, &[-1, followed.channels as i64]);
    let logits = net.linear(&rows, "lossAV.FC", None)?;
    if logits.channels != 2 {
        return Err(bad(format!("it tells {} states of a face apart instead of 2", logits.channels)));
    }
    net.output("Identity", &logits, "logits", &[Free("frames"), Fixed(2)]);
    net.ignore("lossV.");
    Ok(())
}

/// The faces as `[1, channels, 1, frames]`.
fn see(net: &mut Builder<'_>) -> Result<Map> {
    let face = net.input("face", 1, &[Free("frames"), Fixed(SIDE as i64), Fixed(SIDE as i64)]);
    let face = reshaped(net, &face, "face.maps", 1, &[-1, 1, SIDE as i64, SIDE as i64]);
    let scale = net.store_floats("face.scale", &[1], &[1.0 / (255.0 * DEVIATION)]);
    let shift = net.store_floats("face.shift", &[1], &[-MEAN / DEVIATION]);
    let scaled = net.node("Mul", &[&face, &scale], "face.scaled", 1, Vec::new());
    let mut value = net.node("Add", &[&scaled, &shift], "face.normalised", 1, Vec::new());
    for (index, side) in SIDES.into_iter().enumerate() {
        if index > 0 {
            value = net.max_pool(&value, [3, 3], [2, 2], [1, 1]);
        }
        let name = format!("model.visualEncoder.block{}", index + 1);
        for (kernel, part) in KERNELS.into_iter().zip(1..) {
            // The first convolution of all halves the picture.
            let stride = if (index, part) == (0, 1) { 2 } else { 1 };
            value = layer(net, &value, &name, ("s", part), [kernel; 2], [stride; 2])?;
        }
        value = over_time(net, &value, &name, side)?;
    }
    let last = SIDES[SIDES.len() - 1];
    let value = net.max_pool(&value, [last; 2], [last; 2], [0; 2]);
    let rows = reshaped(net, &value, "seen.rows", value.channels, &[1, 1, -1, value.channels as i64]);
    Ok(transposed(net, &rows, "seen", &[0, 3, 1, 2]))
}

/// The convolutions over time of a block, on maps `[frames, channels, side, side]`.
fn over_time(net: &mut Builder<'_>, from: &Map, name: &str, side: usize) -> Result<Map> {
    let channels = from.channels as i64;
    let (side, area) = (side as i64, (side * side) as i64);
    let value = transposed(net, from, &format!("{name}.by_channel"), &[1, 0, 2, 3]);
    let mut value =
        reshaped(net, &value, &format!("{name}.in_time"), from.channels, &[1, channels, -1, area]);
    for (kernel, part) in KERNELS.into_iter().zip(1..) {
        value = layer(net, &value, name, ("t", part), [kernel, 1], [1, 1])?;
    }
    let channels = value.channels;
    let value =
        reshaped(net, &value, &format!("{name}.in_space"), channels, &[channels as i64, -1, side, side]);
    let value = transposed(net, &value, &format!("{name}.by_frame"), &[1, 0, 2, 3]);
    Ok(Map { channels, ..value })
}

/// The sound as `[1, channels, 1, frames]`.
fn hear(net: &mut Builder<'_>) -> Result<Map> {
    let mfcc = net.input("mfcc", 1, &[Free("coefficients"), Fixed(13)]);
    let rows = reshaped(net, &mfcc, "mfcc.rows", 1, &[1, 1, -1, 13]);
    let mut value = transposed(net, &rows, "mfcc.maps", &[0, 1, 3, 2]);
    for index in 1..=3 {
        if index > 1 {
            value = net.max_pool(&value, [1, 3], [1, 2], [0, 1]);
        }
        let name = format!("model.audioEncoder.block{index}");
        for (way, across) in [("m", [1, 0]), ("t", [0, 1])] {
            for (kernel, part) in KERNELS.into_iter().zip(1..) {
                let kernel = across.map(|is_along| if is_along == 1 { kernel } else { 1 });
                value = layer(net, &value, &name, (way, part), kernel, [1, 1])?;
            }
        }
    }
    let attributes = vec![ints("axes", &[2]), int("keepdims", 1)];
    Ok(net.node("ReduceMean", &[&value], "heard", value.channels, attributes))
}

/// A convolution without bias that keeps the size but for its stride, its normalisation and the rectifier.
fn layer(
    net: &mut Builder<'_>,
    from: &Map,
    block: &str,
    (way, part): (&str, usize),
    kernel: [usize; 2],
    stride: [usize; 2],
) -> Result<Map> {
    let (name, norm) = (format!("{block}.{way}_{part}"), format!("{block}.{way}_norm_{part}"));
    let padding = kernel.map(|extent| extent / 2);
    let conv = Conv { name: &name, norm: Some(&norm), kernel, stride, padding, kind: Kind::Separable };
    let made = net.conv(from, conv)?;
    Ok(net.relu(&made))
}

/// Each value times how much it matters, 0 to 1 (`Fusion`).
fn attend(net: &mut Builder<'_>, from: &Map, name: &str) -> Result<Map> {
    let (conv, norm) = (format!("{name}.attention"), format!("{name}.bn"));
    let conv = Conv {
        name: &conv,
        norm: Some(&norm),
        kernel: [1, 1],
        stride: [1, 1],
        padding: [0, 0],
        kind: Kind::Separable,
    };
    let made = net.conv(from, conv)?;
    if made.channels != from.channels {
        return Err(bad(format!("{name} weighs {} channels of {}", made.channels, from.channels)));
    }
    let weights = net.node("Sigmoid", &[&made], &format!("{name}.weights"), made.channels, Vec::new());
    Ok(net.node("Mul", &[from, &weights], &format!("{name}.attended"), from.channels, Vec::new()))
}

/// The two recurrent layers, one forwards and one backwards in time.
fn follow(net: &mut Builder<'_>, from: &Map) -> Result<Map> {
    let steps = transposed(net, from, "steps.first", &[3, 0, 1, 2]);
    let steps = reshaped(net, &steps, "steps", from.channels, &[-1, 1, from.channels as i64]);
    let names = ["model.detector.gru_forward", "model.detector.gru_backward"];
    let states = net.gru(&steps, names, "states")?;
    let channels = 2 * states.channels;
    let states = transposed(net, &states, "followed.first", &[2, 1, 3, 0]);
    let followed = reshaped(net, &states, "followed", channels, &[1, channels as i64, 1, -1]);
    Ok(followed)
}

fn reshaped(net: &mut Builder<'_>, from: &Map, name: &str, channels: usize, shape: &[i64]) -> Map {
    let shape = net.store_integers(&format!("{name}.shape"), shape);
    net.node("Reshape", &[from, &shape], name, channels, Vec::new())
}

fn transposed(net: &mut Builder<'_>, from: &Map, name: &str, order: &[usize]) -> Map {
    net.node("Transpose", &[from], name, from.channels, vec![ints("perm", order)])
}
