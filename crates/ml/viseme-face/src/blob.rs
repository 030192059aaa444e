//! Pictures as the input of a net.

use viseme_core::Result;
use viseme_imaging::ImageU8;
use viseme_models::Tensor;

/// The order of the channels that a net wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Rgb,
    Bgr,
}

/// How a net wants its pictures: channel after channel, `(value - mean) / deviation`, values 0 to 255.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Blob {
    pub(crate) order: Order,
    /// In the order of the channels.
    pub(crate) mean: [f32; 3],
    /// In the order of the channels.
    pub(crate) deviation: [f32; 3],
}

impl Blob {
    /// RGB with the same mean and deviation for all channels.
    pub(crate) const fn rgb(mean: f32, deviation: f32) -> Self {
        Self { order: Order::Rgb, mean: [mean; 3], deviation: [deviation; 3] }
    }

    /// The picture (red, green, blue) in the top left corner of `[1, 3, height, width]`, black around it.
    ///
    /// # Errors
    /// Never for a picture that is not larger.
    pub(crate) fn tensor(&self, image: &ImageU8<3>, width: usize, height: usize) -> Result<Tensor> {
        let mut values = Vec::with_capacity(3 * width * height);
        for channel in 0..3 {
            let (mean, deviation) = (self.mean[channel], self.deviation[channel]);
            let source = if self.order == Order::Rgb { channel } else { 2 - channel };
            let black = (0.0 - mean) / deviation;
            for y in 0..height.min(image.height()) {
                let row = image.row(y);
                values.extend(
                    row[..width.min(row.len())].iter().map(|p| (f32::from(p[source]) - mean) / deviation),
                );
                values.resize(values.len() + width.saturating_sub(row.len()), black);
            }
            values.resize((channel + 1) * width * height, black);
        }
        Tensor::new(vec![1, 3, height, width], values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_ordered_and_what_lies_around_is_black() {
        let image = ImageU8::new(1, 1, vec![[10, 20, 30]]).unwrap();
        let blob = Blob { order: Order::Bgr, mean: [0.0, 10.0, 2.0], deviation: [1.0, 1.0, 2.0] };
        let tensor = blob.tensor(&image, 2, 2).unwrap();
        assert_eq!(tensor.shape(), [1, 3, 2, 2]);
        let wanted = [30.0, 0.0, 0.0, 0.0, 10.0, -10.0, -10.0, -10.0, 4.0, -1.0, -1.0, -1.0];
        assert_eq!(tensor.floats().unwrap(), wanted);
    }
}
