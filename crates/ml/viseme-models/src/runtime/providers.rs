//! The execution providers of ONNX Runtime: how each device is asked for.

use super::Device;
use crate::ModelFile;
use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider, ExecutionProvider, ExecutionProviderDispatch};
use std::path::Path;

impl Device {
    /// Whether this machine seems to have it. Where that cannot be told without a driver's library, it is taken to be
    /// there; loading a model shows the truth.
    #[must_use]
    pub fn is_present(self) -> bool {
        match self {
            Self::Cpu | Self::OpenVino => true,
            Self::Cuda | Self::TensorRt => {
                // `/dev/dxg` is the GPU of Windows seen from Linux inside of it.
                !cfg!(target_os = "linux")
                    || ["/dev/nvidiactl", "/dev/dxg"].iter().any(|p| Path::new(p).exists())
            }
            Self::CoreMl => cfg!(target_os = "macos"),
            Self::DirectMl => cfg!(windows),
            Self::MiGraphX => Path::new("/dev/kfd").exists(),
        }
    }
}

/// The devices that the loaded library was built for, in the order of [`Device::ALL`].
pub(super) fn built_in() -> Vec<Device> {
    let is_built_in = |device: &Device| match device {
        Device::Cpu => Ok(true),
        Device::OpenVino => ep::OpenVINO::is_available(),
        Device::Cuda => ep::CUDA::is_available(),
        Device::TensorRt => ep::TensorRT::is_available(),
        Device::CoreMl => ep::CoreML::is_available(),
        Device::DirectMl => ep::DirectML::is_available(),
        Device::MiGraphX => ep::MIGraphX::is_available(),
    };
    Device::ALL.into_iter().filter(|device| is_built_in(device).unwrap_or(false)).collect()
}

/// Whether the processor computes with 16-bit floats of the `bfloat16` kind. All that have AMX have this as well.
pub(crate) fn has_bf16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    return false;
}

/// The providers to register for a model on a device, each to fail rather than to be left out.
pub(super) fn for_model(model: &ModelFile, device: Device, reduced: bool) -> Vec<ExecutionProviderDispatch> {
    // TF32 keeps 10 bits of 23: not the same picture.
    let cuda = || ep::CUDA::default().with_tf32(reduced).build();
    let providers = match device {
        Device::Cpu => vec![],
        Device::OpenVino => vec![
            ep::OpenVINO::default()
                .with_device_type("CPU")
                .with_arbitrary_config("load_config", openvino_settings(model, reduced))
                .build(),
        ],
        Device::Cuda => vec![cuda()],
        Device::TensorRt => vec![ep::TensorRT::default().with_fp16(reduced).build(), cuda()],
        Device::CoreMl => vec![ep::CoreML::default().build()],
        Device::DirectMl => vec![ep::DirectML::default().build()],
        Device::MiGraphX => vec![ep::MIGraphX::default().with_fp16(reduced).build()],
    };
    providers.into_iter().map(ExecutionProviderDispatch::error_on_failure).collect()
}

/// The precision is always said: by itself OpenVINO takes `bf16` on processors with AMX.
fn openvino_settings(model: &ModelFile, reduced: bool) -> String {
    let precision = if reduced && has_bf16() { "bf16" } else { "f32" };
    let threads = model.threads;
    format!(
        r#"{{"CPU":{{"INFERENCE_PRECISION_HINT":"{precision}","INFERENCE_NUM_THREADS":"{threads}","NUM_STREAMS":"1"}}}}"#
    )
}
