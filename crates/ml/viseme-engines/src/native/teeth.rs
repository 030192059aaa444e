//! Rows of drawn teeth.

/// Half of a row of teeth, mirrored at the middle. All lengths in canonical units.
#[derive(Debug)]
pub(super) struct TeethRow {
    /// Widths of the teeth from the middle outwards.
    pub(super) widths: [f32; 6],
    /// How far the biting edge retreats at `half_width` from the middle.
    pub(super) curve: f32,
    /// Half of the width of the row.
    pub(super) half_width: f32,
    /// Height of the visible crown.
    pub(super) height: f32,
    /// How much shorter the second tooth and the third are.
    pub(super) shorter: [f32; 2],
    /// 1 when the biting edge is below the teeth (the upper row), −1 when it is above them.
    pub(super) edge_side: f32,
}

/// The upper row, held by the skull.
pub(super) const UPPER: TeethRow = TeethRow {
    widths: [0.068, 0.052, 0.058, 0.055, 0.052, 0.05],
    curve: 0.055,
    half_width: 0.34,
    height: 0.15,
    shorter: [0.005, 0.001],
    edge_side: 1.0,
};

/// The lower row, held by the jaw.
pub(super) const LOWER: TeethRow = TeethRow {
    widths: [0.045, 0.048, 0.055, 0.055, 0.055, 0.05],
    curve: 0.018,
    half_width: 0.30,
    height: 0.11,
    shorter: [0.0015, 0.0003],
    edge_side: -1.0,
};

/// How the teeth darken outwards, away from the light.
const TONES: [f32; 6] = [1.0, 0.965, 0.93, 0.86, 0.78, 0.70];
/// Corners of the biting edges are rounded by so much.
const ROUNDING: f32 = 0.007;
/// Half of the width of the dark line between two teeth, and how dark it is.
const GAP: f32 = 0.005;
const GAP_DEPTH: f32 = 0.13;
/// Width over which a biting edge passes into what is behind it.
const EDGE_SOFTNESS: f32 = 0.008;
/// Width over which the row fades at its end.
const END_SOFTNESS: f32 = 0.03;

impl TeethRow {
    /// What covers the point `x` sideways of the middle and `y` below an origin, for a row whose biting edge lies at
    /// `edge` in the middle: (coverage, shade), both 0 to 1.
    pub(super) fn at(&self, x: f32, y: f32, edge: f32) -> (f32, f32) {
        let across = x.abs();
        let mut start = 0.0;
        let mut found = None;
        for (tooth, width) in self.widths.iter().enumerate() {
            if across < start + width {
                found = Some((tooth, start, *width));
                break;
            }
            start += width;
        }
        let Some((tooth, start, width)) = found else { return (0.0, 0.0) };
        let along = (across - start) / width;
        let to_gap = (across - start).min(start + width - across);
        let shorter = match tooth {
            1 => self.shorter[0],
            2 => self.shorter[1],
            _ => 0.0,
        };
        let cut = ROUNDING * (2.0 * along - 1.0).abs().powi(3) + shorter;
        let retreat = self.curve * (x / self.half_width).powi(2);
        // Depth into the tooth from its biting edge.
        let depth = self.edge_side * (edge - y) - retreat - cut;
        let row_end: f32 = self.widths.iter().sum();
        let coverage = (depth / EDGE_SOFTNESS + 0.5).clamp(0.0, 1.0)
            * ((row_end - across) / END_SOFTNESS).clamp(0.0, 1.0);
        let height = (depth / self.height).clamp(0.0, 1.6);
        // Slightly translucent at the biting edge, darker towards the gum.
        let light =
            if height < 0.12 { 0.86 + 0.14 * height / 0.12 } else { 1.0 - 0.10 * (height - 0.12).min(1.0) };
        let groove = 1.0 - GAP_DEPTH * (-(to_gap / GAP).powi(2)).exp() - 0.05 * (along - 0.45).abs();
        (coverage, (groove * TONES[tooth] * light).clamp(0.0, 1.0))
    }
}
