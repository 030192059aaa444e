//! A few frames before and after.

use super::text::{clipped, clock};
use crate::evidence::{FramePair, PICTURE_SIDE};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use maud::{Markup, html};

/// The pictures; nothing where there are none.
pub(super) fn section(pairs: &[FramePair]) -> Markup {
    html! {
        @if !pairs.is_empty() {
            section {
                h2 { "Before and after" }
                p.note { "Left the source, right what was made of it, before it was encoded." }
                div.pairs {
                    @for pair in pairs { (figure(pair)) }
                }
            }
        }
    }
}

fn figure(pair: &FramePair) -> Markup {
    let time = clock((pair.time_s.max(0.0) * 1000.0).round() as u64);
    let name = clipped(&pair.name);
    html! {
        figure.pair {
            (image(&pair.before, &format!("{name} before, at {time}")))
            (image(&pair.after, &format!("{name} after, at {time}")))
            figcaption { (time) " · " (name) }
        }
    }
}

fn image(png: &[u8], words: &str) -> Markup {
    let source = format!("data:image/png;base64,{}", STANDARD.encode(png));
    html! { img src=(source) alt=(words) width=(PICTURE_SIDE) height=(PICTURE_SIDE); }
}
