//! The two branches of SyncNet v2 in colour (`SyncNetModel.py` of `joonson/syncnet_python`).
//!
//! Picture: input `lip` `[n, 3, 5, 224, 224]` (five frames, BGR, 0 to 255). Sound: input `mfcc` `[n, 1, 13, 20]`. Both
//! give `embedding` `[n, 1024]`.
//!
//! The first convolution of the picture branch covers all five frames at once and the others see one frame each, so that
//! the net is one of pictures with 15 channels: runtimes without three-dimensional convolutions run it.

use super::bad;
use super::builder::{Builder, Map};
use super::layers::{Conv, Kind};
use super::nodes::Extent::{Fixed, Free};
use super::nodes::int;
use viseme_core::Result;

/// Frames in a window, and channels of each.
const FRAMES: usize = 5;
const CHANNELS: usize = 3;

/// A convolution (place in its `Sequential`, kernel, stride, padding), and the pooling behind it: window, stride, padding.
type Layer = (usize, [usize; 2], usize, usize, Option<Pool>);
type Pool = ([usize; 2], [usize; 2], usize);

const LIP: &[Layer] = &[
    (0, [7, 7], 2, 0, Some(([3, 3], [2, 2], 0))),
    (4, [5, 5], 2, 1, Some(([3, 3], [2, 2], 1))),
    (8, [3, 3], 1, 1, None),
    (11, [3, 3], 1, 1, None),
    (14, [3, 3], 1, 1, Some(([3, 3], [2, 2], 0))),
    (18, [6, 6], 1, 0, None),
];

/// The pooling behind the first has windows of one value, so it is left out.
const AUDIO: &[Layer] = &[
    (0, [3, 3], 1, 1, None),
    (4, [3, 3], 1, 1, Some(([3, 3], [1, 2], 0))),
    (8, [3, 3], 1, 1, None),
    (11, [3, 3], 1, 1, None),
    (14, [3, 3], 1, 1, Some(([3, 3], [2, 2], 0))),
    (18, [5, 4], 1, 0, None),
];

/// The picture branch.
pub(super) fn build_lip(net: &mut Builder<'_>) -> Result<()> {
    let extents = [Free("n"), Fixed(CHANNELS as i64), Fixed(FRAMES as i64), Fixed(224), Fixed(224)];
    let lip = net.input("lip", CHANNELS, &extents);
    let shape = net.store_integers("stacked.shape", &[-1, (CHANNELS * FRAMES) as i64, 224, 224]);
    let stacked = net.node("Reshape", &[&lip, &shape], "stacked", CHANNELS * FRAMES, Vec::new());
    branch(net, stacked, "netcnnlip", LIP, Some(FRAMES))?;
    net.ignore("netcnnaud.");
    net.ignore("netfcaud.");
    Ok(())
}

/// The sound branch.
pub(super) fn build_audio(net: &mut Builder<'_>) -> Result<()> {
    let mfcc = net.input("mfcc", 1, &[Free("n"), Fixed(1), Fixed(13), Fixed(20)]);
    branch(net, mfcc, "netcnnaud", AUDIO, None)?;
    net.ignore("netcnnlip.");
    net.ignore("netfclip.");
    Ok(())
}

fn branch(
    net: &mut Builder<'_>,
    from: Map,
    name: &str,
    layers: &[Layer],
    frames: Option<usize>,
) -> Result<()> {
    let mut value = from;
    for (index, &(place, kernel, stride, padding, pool)) in layers.iter().enumerate() {
        let kind = match frames {
            Some(frames) if index == 0 => Kind::Frames(frames),
            Some(_) => Kind::Frames(1),
            None => Kind::Plain,
        };
        let (conv, norm) = (format!("{name}.{place}"), format!("{name}.{}", place + 1));
        let conv =
            Conv { name: &conv, norm: Some(&norm), kernel, stride: [stride; 2], padding: [padding; 2], kind };
        let made = net.conv(&value, conv)?;
        value = net.relu(&made);
        if let Some((size, stride, padding)) = pool {
            value = net.max_pool(&value, size, stride, [padding; 2]);
        }
    }
    let flat = net.node("Flatten", &[&value], &format!("{name}.flat"), value.channels, vec![int("axis", 1)]);
    let head = name.replace("cnn", "fc");
    let hidden = net.linear(&flat, &format!("{head}.0"), Some(&format!("{head}.1")))?;
    let hidden = net.relu(&hidden);
    let embedding = net.linear(&hidden, &format!("{head}.3"), None)?;
    let width = i64::try_from(embedding.channels).map_err(|_| bad("its embedding is too wide"))?;
    net.output("Identity", &embedding, "embedding", &[Free("n"), Fixed(width)]);
    Ok(())
}
