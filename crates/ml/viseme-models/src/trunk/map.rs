//! Feature maps with their channels side by side and a border of zeros.

/// Channels are stored in blocks of this many: the widest vector of any processor that we know.
pub(super) const BLOCK: usize = 16;

/// The picture or what a layer made of it.
#[derive(Debug, Clone)]
pub(super) struct Map {
    pub(super) channels: usize,
    pub(super) height: usize,
    pub(super) width: usize,
    /// Values from one pixel to the next.
    pub(super) stride: usize,
    /// `(height + 2) * (width + 2)` pixels: a border of one pixel of zeros, which nobody writes to, lies around the map.
    pub(super) data: Vec<f32>,
}

impl Map {
    /// A map of zeros whose pixels take whole blocks.
    pub(super) fn of_blocks(channels: usize, height: usize, width: usize) -> Self {
        Self::zeros(channels, height, width, channels.next_multiple_of(BLOCK))
    }

    /// A map of zeros whose pixels lie without gaps.
    pub(super) fn of_picture(channels: usize, height: usize, width: usize) -> Self {
        Self::zeros(channels, height, width, channels)
    }

    /// A map of zeros of the same extent.
    pub(super) fn like(&self) -> Self {
        Self::zeros(self.channels, self.height, self.width, self.stride)
    }

    /// A map of zeros of twice the height and width.
    pub(super) fn twice_as_large(&self) -> Self {
        Self::zeros(self.channels, 2 * self.height, 2 * self.width, self.stride)
    }

    fn zeros(channels: usize, height: usize, width: usize, stride: usize) -> Self {
        Self { channels, height, width, stride, data: vec![0.0; (height + 2) * (width + 2) * stride] }
    }

    /// Takes over planes of this extent that lie one after the other.
    pub(super) fn fill(&mut self, planes: &[f32]) {
        let (width, stride) = (self.width.max(1), self.stride);
        for (channel, plane) in planes.chunks_exact((self.height * width).max(1)).enumerate() {
            for (y, row) in plane.chunks_exact(width).enumerate() {
                let start = self.offset(y, 0) + channel;
                for (value, &sample) in self.data[start..].iter_mut().step_by(stride).zip(row) {
                    *value = sample;
                }
            }
        }
    }

    /// Gives the planes one after the other.
    pub(super) fn to_planes(&self) -> Vec<f32> {
        let mut planes = Vec::with_capacity(self.channels * self.height * self.width);
        for channel in 0..self.channels {
            for y in 0..self.height {
                let start = self.offset(y, 0) + channel;
                planes.extend(self.data[start..].iter().step_by(self.stride).take(self.width));
            }
        }
        planes
    }

    /// Where the values of a pixel begin.
    pub(super) fn offset(&self, y: usize, x: usize) -> usize {
        (y + 1) * self.row_stride() + (x + 1) * self.stride
    }

    /// Values from one row to the next.
    pub(super) fn row_stride(&self) -> usize {
        (self.width + 2) * self.stride
    }

    /// Whether both have the same extent.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        (self.channels, self.height, self.width, self.stride)
            == (other.channels, other.height, other.width, other.stride)
    }

    /// Becomes `map` without its values below zero. Both have the same extent.
    pub(super) fn set_rectified(&mut self, map: &Self) {
        for (value, other) in self.data.iter_mut().zip(&map.data) {
            *value = other.max(0.0);
        }
    }

    /// Becomes the sum of two maps, `is_rectified` without its values below zero. All have the same extent.
    pub(super) fn set_sum(&mut self, [a, b]: [&Self; 2], is_rectified: bool) {
        let values = self.data.iter_mut().zip(a.data.iter().zip(&b.data));
        if is_rectified {
            values.for_each(|(value, (a, b))| *value = (a + b).max(0.0));
        } else {
            values.for_each(|(value, (a, b))| *value = a + b);
        }
    }

    /// Becomes `map` with every pixel twice in each direction.
    pub(super) fn set_doubled(&mut self, map: &Self) {
        for y in 0..self.height {
            for x in 0..self.width {
                let (from, to) = (map.offset(y / 2, x / 2), self.offset(y, x));
                self.data[to..to + self.stride].copy_from_slice(&map.data[from..from + self.stride]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(planes: &[f32], channels: usize, height: usize, width: usize) -> Map {
        let mut map = Map::of_picture(channels, height, width);
        map.fill(planes);
        map
    }

    #[test]
    fn planes_come_back() {
        let planes: Vec<f32> = (0..2 * 3 * 4).map(|i| i as f32).collect();
        assert_eq!(map(&planes, 2, 3, 4).to_planes(), planes);
    }

    #[test]
    fn doubling_repeats_pixels() {
        let small = map(&[1.0, 2.0], 1, 1, 2);
        let mut doubled = small.twice_as_large();
        doubled.set_doubled(&small);
        assert_eq!(doubled.to_planes(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    }

    #[test]
    fn sums_lose_what_is_below_zero_only_when_asked() {
        let (a, b) = (map(&[1.0, -3.0], 1, 1, 2), map(&[2.0, 1.0], 1, 1, 2));
        let mut sum = a.like();
        sum.set_sum([&a, &b], false);
        assert_eq!(sum.to_planes(), [3.0, -2.0]);
        sum.set_sum([&a, &b], true);
        assert_eq!(sum.to_planes(), [3.0, 0.0]);
        sum.set_rectified(&a);
        assert_eq!(sum.to_planes(), [1.0, 0.0]);
    }
}
