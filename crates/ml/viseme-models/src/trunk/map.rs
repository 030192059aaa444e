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
    /// `(height + 2) * (width + 2)` pixels: a border of one pixel of zeros lies around the map.
    pub(super) data: Vec<f32>,
}

impl Map {
    /// A map of zeros whose pixels take whole blocks.
    pub(super) fn zeros(channels: usize, height: usize, width: usize) -> Self {
        let stride = channels.next_multiple_of(BLOCK);
        Self { channels, height, width, stride, data: vec![0.0; (height + 2) * (width + 2) * stride] }
    }

    /// Takes over planes that lie one after the other.
    pub(super) fn from_planes(planes: &[f32], channels: usize, height: usize, width: usize) -> Self {
        let mut map = Self {
            channels,
            height,
            width,
            stride: channels,
            data: vec![0.0; (height + 2) * (width + 2) * channels],
        };
        for (channel, plane) in planes.chunks_exact((height * width).max(1)).enumerate() {
            for (y, row) in plane.chunks_exact(width.max(1)).enumerate() {
                let start = map.offset(y, 0) + channel;
                let pixels = map.data[start..].iter_mut().step_by(channels);
                for (value, &sample) in pixels.zip(row) {
                    *value = sample;
                }
            }
        }
        map
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

    /// Every value that is below zero becomes zero.
    pub(super) fn relu(mut self) -> Self {
        for value in &mut self.data {
            *value = value.max(0.0);
        }
        self
    }

    /// Adds a map of the same extent.
    pub(super) fn plus(mut self, other: &Self) -> Self {
        for (value, other) in self.data.iter_mut().zip(&other.data) {
            *value += other;
        }
        self
    }

    /// Every pixel twice in each direction.
    pub(super) fn doubled(&self) -> Self {
        let mut map = Self {
            channels: self.channels,
            height: 2 * self.height,
            width: 2 * self.width,
            stride: self.stride,
            data: vec![0.0; (2 * self.height + 2) * (2 * self.width + 2) * self.stride],
        };
        for y in 0..map.height {
            for x in 0..map.width {
                let (from, to) = (self.offset(y / 2, x / 2), map.offset(y, x));
                map.data[to..to + self.stride].copy_from_slice(&self.data[from..from + self.stride]);
            }
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn planes_come_back() {
        let planes: Vec<f32> = (0..2 * 3 * 4).map(|i| i as f32).collect();
        assert_eq!(Map::from_planes(&planes, 2, 3, 4).to_planes(), planes);
    }

    #[test]
    fn doubling_repeats_pixels() {
        let map = Map::from_planes(&[1.0, 2.0], 1, 1, 2).doubled();
        assert_eq!(map.to_planes(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0]);
    }
}
