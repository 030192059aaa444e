//! Folds a batch normalisation into the layer before it.

use super::bad;
use viseme_core::Result;

/// What PyTorch adds to the variance where a net says nothing else (default of `nn.BatchNorm2d`).
pub(super) const DEFAULT_EPSILON: f64 = 1e-5;

/// The vectors of a batch normalisation, one value a channel.
pub(super) struct Norm {
    pub(super) weight: Vec<f32>,
    pub(super) bias: Vec<f32>,
    pub(super) mean: Vec<f32>,
    pub(super) variance: Vec<f32>,
    /// What is added to the variance.
    pub(super) epsilon: f64,
}

/// The factors for the weights of a layer, by output channel, and its new biases.
///
/// `(layer + bias - mean) / sqrt(variance + epsilon) * weight + norm_bias`, in double precision.
pub(super) fn fold(bias: &[f32], norm: &Norm) -> Result<(Vec<f32>, Vec<f32>)> {
    let channel = |index: usize| {
        let [bias, weight, norm_bias, mean, variance] =
            [bias, &norm.weight, &norm.bias, &norm.mean, &norm.variance]
                .map(|values| f64::from(values[index]));
        let factor = weight / (variance + norm.epsilon).sqrt();
        (factor as f32, ((bias - mean) * factor + norm_bias) as f32)
    };
    let (factors, biases): (Vec<f32>, Vec<f32>) = (0..bias.len()).map(channel).unzip();
    if factors.iter().chain(&biases).all(|value| value.is_finite()) {
        Ok((factors, biases))
    } else {
        Err(bad("a batch normalisation has a variance that no data has"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_normalised_channel_is_a_scaled_and_shifted_one() {
        let norm =
            Norm { weight: vec![3.0], bias: vec![0.5], mean: vec![2.0], variance: vec![3.5], epsilon: 0.5 };
        let (factors, biases) = fold(&[10.0], &norm).unwrap();
        assert!((factors[0] - 1.5).abs() < 1e-6);
        assert!((biases[0] - (8.0 * 1.5 + 0.5)).abs() < 1e-5);
    }

    #[test]
    fn a_negative_variance_is_refused() {
        let norm = Norm {
            weight: vec![1.0],
            bias: vec![0.0],
            mean: vec![0.0],
            variance: vec![-1.0],
            epsilon: DEFAULT_EPSILON,
        };
        assert!(fold(&[0.0], &norm).is_err());
    }
}
