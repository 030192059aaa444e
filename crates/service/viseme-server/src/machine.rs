//! What clients want to know of the machine.

use nvml_wrapper::Nvml;
use viseme_models::{Device, Store};

/// The machine that a server runs on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Machine {
    pub(crate) has_gpu: bool,
    /// The name of the first GPU, where its driver tells.
    pub(crate) gpu_name: Option<String>,
    /// Its memory in GiB.
    pub(crate) gpu_memory_gb: Option<f64>,
    /// What models run on: `cpu` or `cuda`.
    pub(crate) device: &'static str,
}

impl Machine {
    /// A machine of which nothing is known yet.
    pub(crate) const UNKNOWN: Self =
        Self { has_gpu: false, gpu_name: None, gpu_memory_gb: None, device: "cpu" };

    /// Asks the driver of the GPU, which takes its time.
    pub(crate) fn look() -> Self {
        if !Device::Cuda.is_present() {
            return Self::UNKNOWN;
        }
        let (name, memory) = first_gpu().unwrap_or_default();
        let has_gpu = cfg!(target_os = "linux") || name.is_some();
        let runs_there = has_gpu && has_cuda_runtime();
        Self {
            has_gpu,
            gpu_name: name,
            gpu_memory_gb: memory,
            device: if runs_there { "cuda" } else { "cpu" },
        }
    }
}

/// Name and memory of the first GPU, from NVIDIA's library that comes with the driver.
fn first_gpu() -> Option<(Option<String>, Option<f64>)> {
    const GIB: f64 = (1_u64 << 30) as f64;
    let nvml = Nvml::init().ok()?;
    let gpu = nvml.device_by_index(0).ok()?;
    let memory = gpu.memory_info().ok().map(|memory| (memory.total as f64 / GIB * 10.0).round() / 10.0);
    Some((gpu.name().ok(), memory))
}

/// Whether an ONNX Runtime for CUDA was installed.
fn has_cuda_runtime() -> bool {
    Store::open().is_ok_and(|store| store.runtimes_folder().join("cuda").is_dir())
}
