//! The face detector S3FD (`face_detection/detection/sfd/net_s3fd.py` of Rudrabha/Wav2Lip).
//!
//! Input `image` `[n, 3, height, width]` (RGB, 0 to 255, minus 104, 117, 123). Outputs `cls1`, `reg1` to `cls6`, `reg6`
//! for strides 4, 8, 16, 32, 64, 128: class logits `[n, 2, h, w]` (background, face), before the softmax, and box
//! offsets `[n, 4, h, w]`.

use super::bad;
use super::builder::{Builder, Map};
use super::layers::{Conv, Kind};
use super::nodes::Extent::{Fixed, Free, Unknown};
use super::nodes::int;
use viseme_core::Result;

/// How many convolutions each stage has; pooling ends it.
const STAGES: [usize; 5] = [2, 2, 3, 3, 3];

/// What `L2Norm` adds to the norm.
const EPSILON: f32 = 1e-10;

/// The whole detector.
pub(super) fn build(net: &mut Builder<'_>) -> Result<()> {
    let mut value = net.input("image", 3, &[Free("n"), Fixed(3), Free("height"), Free("width")]);
    let mut heads = Vec::new();
    for (stage, convs) in (1..).zip(STAGES) {
        for conv in 1..=convs {
            value = rectified(net, &value, &format!("conv{stage}_{conv}"), 3, 1, 1)?;
        }
        if stage > 2 {
            let name = format!("conv{stage}_{convs}_norm");
            heads.push((normalised(net, &value, &name)?, name));
        }
        value = net.max_pool(&value, [2, 2], [2, 2], [0, 0]);
    }
    value = rectified(net, &value, "fc6", 3, 1, 3)?;
    value = rectified(net, &value, "fc7", 1, 1, 0)?;
    heads.push((value.clone(), "fc7".to_owned()));
    for stage in [6, 7] {
        value = rectified(net, &value, &format!("conv{stage}_1"), 1, 1, 0)?;
        value = rectified(net, &value, &format!("conv{stage}_2"), 3, 2, 1)?;
        heads.push((value.clone(), format!("conv{stage}_2")));
    }
    for (level, (value, name)) in (1..).zip(&heads) {
        let logits = conv(net, value, &format!("{name}_mbox_conf"), 3, 1, 1)?;
        let logits = if level == 1 { max_out(net, &logits)? } else { logits };
        output(net, &logits, &format!("cls{level}"), 2)?;
        let boxes = conv(net, value, &format!("{name}_mbox_loc"), 3, 1, 1)?;
        output(net, &boxes, &format!("reg{level}"), 4)?;
    }
    Ok(())
}

fn conv(
    net: &mut Builder<'_>,
    from: &Map,
    name: &str,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> Result<Map> {
    let (kernel, stride, padding) = ([kernel; 2], [stride; 2], [padding; 2]);
    net.conv(from, Conv { name, norm: None, kernel, stride, padding, kind: Kind::Plain })
}

fn rectified(
    net: &mut Builder<'_>,
    from: &Map,
    name: &str,
    kernel: usize,
    stride: usize,
    padding: usize,
) -> Result<Map> {
    let made = conv(net, from, name, kernel, stride, padding)?;
    Ok(net.relu(&made))
}

/// Scales the channels of each pixel to length one, then each channel by its weight.
fn normalised(net: &mut Builder<'_>, from: &Map, name: &str) -> Result<Map> {
    let channels = from.channels;
    let weight = net.vector(&format!("{name}.weight"), channels)?;
    let weight = net.store_floats(&format!("{name}.weight"), &[1, channels, 1, 1], &weight);
    let axes = net.store_integers(&format!("{name}.axes"), &[1]);
    let epsilon = net.store_floats(&format!("{name}.epsilon"), &[1], &[EPSILON]);
    let named = |part: &str| format!("{name}.{part}");
    let squares = net.node("Mul", &[from, from], &named("squares"), channels, Vec::new());
    let sum = net.node("ReduceSum", &[&squares, &axes], &named("sum"), 1, vec![int("keepdims", 1)]);
    let root = net.node("Sqrt", &[&sum], &named("root"), 1, Vec::new());
    let length = net.node("Add", &[&root, &epsilon], &named("length"), 1, Vec::new());
    let unit = net.node("Div", &[from, &length], &named("unit"), channels, Vec::new());
    Ok(net.node("Mul", &[&unit, &weight], name, channels, Vec::new()))
}

/// The first level has three logits for the background, of which the largest counts.
fn max_out(net: &mut Builder<'_>, logits: &Map) -> Result<Map> {
    if logits.channels != 4 {
        return Err(bad(format!("its first level has {} logits instead of 4", logits.channels)));
    }
    let mut slice = |name: &str, start, end: i64| {
        let start = net.store_integers(&format!("{name}.start"), &[start]);
        let end = net.store_integers(&format!("{name}.end"), &[end]);
        let axes = net.store_integers(&format!("{name}.axes"), &[1]);
        net.node("Slice", &[logits, &start, &end, &axes], name, 1, Vec::new())
    };
    let backgrounds = [slice("background1", 0, 1), slice("background2", 1, 2), slice("background3", 2, 3)];
    let face = slice("face", 3, 4);
    let [first, second, third] = &backgrounds;
    let background = net.node("Max", &[first, second, third], "background", 1, Vec::new());
    Ok(net.concat(&[&background, &face], "logits1"))
}

fn output(net: &mut Builder<'_>, from: &Map, name: &str, channels: usize) -> Result<()> {
    if from.channels != channels {
        return Err(bad(format!("its output {name} has {} channels instead of {channels}", from.channels)));
    }
    net.output("Identity", from, name, &[Free("n"), Fixed(channels as i64), Unknown, Unknown]);
    Ok(())
}
