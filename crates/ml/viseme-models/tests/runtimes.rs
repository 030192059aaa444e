//! Every runtime does the same; ONNX Runtime is tested where its library is found.

use std::path::PathBuf;
use std::sync::Arc;
use viseme_core::ErrorKind;
use viseme_models::{
    Device, Library, ModelFile, OrtRuntime, RtenRuntime, Runtime, RuntimeKind, RuntimeRequest, Runtimes,
    Tensor,
};
use viseme_testing::runtimes::{HALF, NEIGHBOURS, QUANTISED, VOLUME, conforms};
use viseme_testing::skipped;

/// Where `ORT_DYLIB_PATH` or `viseme models runtime install` put the library.
fn library() -> Option<Arc<Library>> {
    let models = std::env::var_os("MODELS_DIR").map(PathBuf::from);
    let found = Library::find(models.map(|folder| folder.join("runtimes")).as_deref(), None);
    found.inspect_err(|error| skipped(&format!("{error}; set ORT_DYLIB_PATH"))).ok()
}

fn request(runtime: Option<RuntimeKind>) -> RuntimeRequest {
    RuntimeRequest { runtime, ..RuntimeRequest::default() }
}

/// A model of the user's, as opposed to one of our own.
fn given(onnx: &[u8]) -> ModelFile {
    ModelFile::bytes("given", onnx)
}

#[test]
fn rten_conforms() {
    conforms(&RtenRuntime::default());
}

#[test]
fn onnx_runtime_conforms_on_every_device_that_is_there() {
    let Some(library) = library() else { return };
    for &device in library.devices.iter().filter(|device| device.is_present()) {
        // A GPU's own faults are not this suite's.
        if matches!(device, Device::Cpu | Device::OpenVino | Device::Cuda) {
            conforms(&OrtRuntime::new(Arc::clone(&library), device, false));
        }
    }
}

#[test]
fn onnx_runtime_runs_what_rten_must_not() {
    let Some(library) = library() else { return };
    let runtime = OrtRuntime::new(library, Device::Cpu, false);
    let volume = Tensor::new(vec![1, 1, 2, 2, 2], (0_u8..8).map(f32::from).collect::<Vec<_>>()).unwrap();
    // The corners (x, y, z) = (1, -1, -1) and (-1, 1, 1), then the middle.
    let grid = Tensor::new(vec![1, 1, 1, 3, 3], vec![1.0_f32, -1., -1., -1., 1., 1., 0., 0., 0.]).unwrap();
    let session = runtime.load(&ModelFile::embedded("volume", VOLUME)).unwrap();
    let made = session.run(vec![("volume", volume), ("grid", grid)], &["sampled"]).unwrap();
    assert_eq!(made[0].floats().unwrap(), [1.0, 6.0, 3.5]);
    let session = runtime.load(&ModelFile::embedded("quantised", QUANTISED)).unwrap();
    let x = Tensor::new(vec![1, 4], vec![0.2_f32, 0.3, -1.5, 1e9]).unwrap();
    let made = session.run(vec![("x", x)], &["y"]).unwrap();
    assert_eq!(made[0].floats().unwrap(), [0.0, 0.5, -1.5, 63.5]);
}

#[test]
fn a_device_that_the_library_lacks_is_an_error_with_a_remedy() {
    let Some(library) = library() else { return };
    let Some(missing) = Device::ALL.into_iter().find(|device| !library.devices.contains(device)) else {
        return;
    };
    let error = OrtRuntime::new(library, missing, false).load(&given(NEIGHBOURS)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::MissingTool);
    assert!(error.hint().is_some());
}

#[test]
fn rten_takes_plain_graphs_and_refuses_the_others() {
    let runtimes = Runtimes::find(request(Some(RuntimeKind::Rten)), None).unwrap();
    for plain in [NEIGHBOURS, HALF] {
        let choice = runtimes.choose(&given(plain)).unwrap();
        assert_eq!(choice.placement.runtime, RuntimeKind::Rten);
        assert_eq!(choice.reason, "--runtime says so");
    }
    runtimes.load(&given(NEIGHBOURS)).unwrap();
    assert_eq!(runtimes.placed().len(), 1);
    for (graph, why) in [(VOLUME, "samples volumes"), (QUANTISED, "quantised")] {
        let error = runtimes.load(&given(graph)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingTool);
        assert!(error.to_string().contains(why), "{error}");
    }
    let error = runtimes.choose(&given(b"once upon a time")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn our_own_nets_stay_on_rten_and_others_go_to_the_library_where_there_is_one() {
    let library = library();
    let folder = std::env::var_os("MODELS_DIR").map(|folder| PathBuf::from(folder).join("runtimes"));
    let runtimes = Runtimes::find(RuntimeRequest::default(), folder.as_deref()).unwrap();
    let ours = runtimes.choose(&ModelFile::embedded("ours", NEIGHBOURS)).unwrap();
    assert_eq!(ours.placement.runtime, RuntimeKind::Rten);
    let given = runtimes.choose(&given(NEIGHBOURS)).unwrap();
    let wanted = if library.is_some() { RuntimeKind::Ort } else { RuntimeKind::Rten };
    assert_eq!(given.placement.runtime, wanted);
    assert!(given.reason.contains("ONNX Runtime"), "{}", given.reason);
    assert_eq!(runtimes.take_warnings().is_empty(), library.is_some() || !Library::is_named());
}

#[test]
fn a_request_that_cannot_be_met_is_an_error() {
    let both = RuntimeRequest { device: Some(Device::Cuda), ..request(Some(RuntimeKind::Rten)) };
    assert_eq!(Runtimes::find(both, None).unwrap_err().kind(), ErrorKind::InvalidInput);
    if std::env::var_os("ORT_DYLIB_PATH").is_none() {
        let error = Runtimes::find(request(Some(RuntimeKind::Ort)), None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::MissingTool);
        assert!(error.hint().unwrap().contains("viseme models runtime install"));
    }
    assert!("onnx".parse::<RuntimeKind>().unwrap_err().hint().unwrap().contains("ort, rten"));
    assert_eq!("openvino".parse::<Device>().unwrap(), Device::OpenVino);
}

#[test]
fn a_model_is_loaded_once_and_goes_with_its_last_user() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.onnx");
    std::fs::write(&path, NEIGHBOURS).unwrap();
    let model = ModelFile::file("model", &path);
    let load = || {
        // Every job has its own: they share what the process has loaded.
        Runtimes::find(request(Some(RuntimeKind::Rten)), None).unwrap().load(&model).unwrap()
    };
    let (first, second) = std::thread::scope(|scope| {
        let (a, b) = (scope.spawn(load), scope.spawn(load));
        (a.join().unwrap(), b.join().unwrap())
    });
    assert!(Arc::ptr_eq(&first, &second));
    let weak = Arc::downgrade(&first);
    drop((first, second));
    assert!(weak.upgrade().is_none(), "nobody uses it any more");
    let first = load();
    std::fs::write(&path, HALF).unwrap();
    let second = load();
    assert!(!Arc::ptr_eq(&first, &second), "another file");
    assert_eq!(second.info().inputs[0].name, "x");
}
