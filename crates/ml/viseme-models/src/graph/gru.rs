//! Recurrent layers.

use super::builder::{Builder, Map, check_shape, within};
use super::nodes::{int, text};
use viseme_core::Result;

/// The gates of a layer: PyTorch keeps reset, update, new; ONNX takes update, reset, new.
const GATES: [usize; 3] = [1, 0, 2];

impl Builder<'_> {
    /// Two GRU layers over `[steps, 1, channels]`, the first forwards and the second backwards in time, named
    /// `NAME.weight_ih_l0` and so on. The output is `[steps, 2, 1, units]`; its channels are the units of one.
    pub(super) fn gru(&mut self, from: &Map, names: [&str; 2], output: &str) -> Result<Map> {
        let units = self.units(names[0])?;
        let (mut inputs, mut states, mut biases) = (Vec::new(), Vec::new(), Vec::new());
        for name in names {
            inputs.extend(self.gates(&format!("{name}.weight_ih_l0"), units, &[from.channels])?);
            states.extend(self.gates(&format!("{name}.weight_hh_l0"), units, &[units])?);
            biases.extend(self.gates(&format!("{name}.bias_ih_l0"), units, &[])?);
            biases.extend(self.gates(&format!("{name}.bias_hh_l0"), units, &[])?);
        }
        let gates = GATES.len() * units;
        let inputs = self.store_floats(&format!("{output}.inputs"), &[2, gates, from.channels], &inputs);
        let states = self.store_floats(&format!("{output}.states"), &[2, gates, units], &states);
        let biases = self.store_floats(&format!("{output}.biases"), &[2, 2 * gates], &biases);
        let attributes = vec![
            text("direction", "bidirectional"),
            int("hidden_size", units as i64),
            // As in PyTorch and cuDNN.
            int("linear_before_reset", 1),
        ];
        Ok(self.node("GRU", &[from, &inputs, &states, &biases], output, units, attributes))
    }

    /// How many units the layer of that name has.
    fn units(&mut self, name: &str) -> Result<usize> {
        let bias = self.take(&format!("{name}.bias_hh_l0"))?;
        Ok(bias.shape.first().and_then(|&extent| usize::try_from(extent).ok()).unwrap_or(0) / GATES.len())
    }

    /// The values of a tensor `[gates × units, …]` with the gates in the order of ONNX.
    fn gates(&mut self, name: &str, units: usize, row: &[usize]) -> Result<Vec<f32>> {
        let tensor = self.take(name)?;
        let shape = [&[GATES.len() * units], row].concat();
        check_shape(name, &tensor, &shape)?;
        let values = self.read(&tensor).map_err(|error| within(name, &error))?;
        let length = units * row.iter().product::<usize>();
        Ok(GATES.iter().flat_map(|gate| values[gate * length..(gate + 1) * length].to_vec()).collect())
    }
}
