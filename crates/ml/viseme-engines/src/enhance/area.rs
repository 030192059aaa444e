//! Which part of a face a restorer may change.

use super::picture::SIDE;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;
use viseme_core::geometry::{Rect, Vec2};
use viseme_core::{Error, Result};
use viseme_imaging::smoothstep;

/// The middle of the mouth's area on the template: between the corners of the mouth (y 371) and the chin (y 465), where the
/// canonical face has them.
const MOUTH_MIDDLE: Vec2 = Vec2 { x: 256.0, y: 400.0 };
/// Its half axes in pixels of the template: from under the nostrils to below a dropped chin, without the ears.
const MOUTH_RADII: Vec2 = Vec2 { x: 150.0, y: 108.0 };
/// Up to this share of the half axes all of the net's picture is taken.
const MOUTH_WHOLE: f32 = 0.7;
/// So far from the edge of the template, in its side, all of the net's picture is taken. facefusion's box mask
/// (`face_masker.py`, blur 0.3) rises in about the same span, but does not quite end at 0.
const FACE_FADE: f32 = 0.15;

/// Which part of a face a restorer may change. It lies fixed on the template, so that it moves with the head alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnhanceArea {
    /// What engines change, and what is around it: the mouth, the chin, the lower cheeks.
    #[default]
    Mouth,
    /// The whole face.
    Face,
}

impl EnhanceArea {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Mouth, Self::Face];

    /// The name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Mouth => "mouth",
            Self::Face => "face",
        }
    }

    /// How much of the net's picture is taken at a position of the template, in pixels: 0 to 1, and 0 outside
    /// [`bounds`](Self::bounds).
    #[must_use]
    pub fn weight(self, p: Vec2) -> f32 {
        match self {
            Self::Mouth => {
                let from_middle = p - MOUTH_MIDDLE;
                let radius = (from_middle.x / MOUTH_RADII.x).hypot(from_middle.y / MOUTH_RADII.y);
                smoothstep(1.0, MOUTH_WHOLE, radius)
            }
            Self::Face => {
                let side = SIDE as f32;
                let from_edge = |v: f32| (v + 0.5).min(side - 0.5 - v);
                smoothstep(0.0, FACE_FADE * side, from_edge(p.x).min(from_edge(p.y)))
            }
        }
    }

    /// The rectangle of the template, in its pixels, outside of which nothing changes.
    #[must_use]
    pub fn bounds(self) -> Rect {
        let side = SIDE as f32;
        let corner = MOUTH_MIDDLE - MOUTH_RADII;
        match self {
            Self::Mouth => {
                Rect { x: corner.x, y: corner.y, width: 2.0 * MOUTH_RADII.x, height: 2.0 * MOUTH_RADII.y }
            }
            Self::Face => Rect { x: -0.5, y: -0.5, width: side, height: side },
        }
    }
}

impl fmt::Display for EnhanceArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EnhanceArea {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|area| area.name() == name).ok_or_else(|| {
            // In the message: the command line shows no hint here.
            let known = Self::ALL.map(Self::name).join(", ");
            Error::invalid_input(format!("there is no area '{name}' to enhance, but {known}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use viseme_face::alignment::Template;

    #[test]
    fn weights_end_within_their_bounds_and_on_the_template() {
        for area in EnhanceArea::ALL {
            let Rect { x, y, width, height } = area.bounds();
            assert!(x >= -0.5 && y >= -0.5 && x + width <= 511.5 && y + height <= 511.5);
            for at in 0..200 {
                let t = at as f32 / 199.0;
                for (edge_x, edge_y) in [(x + t * width, y), (x, y + t * height), (x + width, y + t * height)]
                {
                    assert!(area.weight(Vec2::new(edge_x, edge_y)) < 1e-6);
                }
            }
        }
    }

    #[test]
    fn the_mouth_is_whole_and_the_eyes_only_in_the_face() {
        let points = Template::Ffhq512.points().map(|[x, y]| Vec2::new(x as f32, y as f32));
        for (point, in_mouth) in points.into_iter().zip([Some(0.0), Some(0.0), None, Some(1.0), Some(1.0)]) {
            let weight = EnhanceArea::Mouth.weight(point);
            assert!(
                in_mouth.is_none_or(|wanted: f32| (weight - wanted).abs() < 1e-3),
                "{weight} at {point:?}"
            );
            assert!(EnhanceArea::Face.weight(point) > 0.999);
        }
    }
}
