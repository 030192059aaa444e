"""Write the trained nets as ONNX files with half-precision weights, and check them against PyTorch."""

import argparse
import pathlib

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import helper, numpy_helper
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from crops import Layout
from nets import DetectorNet, EmbedderNet, LandmarkNet, MouthNet

HERE = pathlib.Path(__file__).parent
OPERATORS = {"Add", "Cast", "Clip", "Concat", "Constant", "Conv", "CumSum", "Exp", "Flatten", "Gemm", "Mul", "Relu",
             "Reshape", "Resize", "Sigmoid", "Slice", "Sub", "Transpose"}
NETS = {
    "detector": (DetectorNet, (1, 3, 192, 320), ["boxes", "scores"], {"image": {2: "height", 3: "width"}, "boxes": {1: "cells"}, "scores": {1: "cells"}}),
    "landmarks": (LandmarkNet, (3, 3, 128, 128), ["points", "presence"], {n: {0: "batch"} for n in ("image", "points", "presence")}),
    "identity": (EmbedderNet, (3, 3, 112, 112), ["embedding"], {n: {0: "batch"} for n in ("image", "embedding")}),
    "mouth": (MouthNet, (3, 1, 64, 64), ["points", "visible"], {n: {0: "batch"} for n in ("image", "points", "visible")}),
}


def fuse(module):
    """Fold every batch norm into the convolution before it."""
    for name, child in module.named_children():
        fuse(child)
        if isinstance(child, nn.Sequential):
            layers = list(child)
            for k in range(len(layers) - 1):
                if isinstance(layers[k], nn.Conv2d) and isinstance(layers[k + 1], nn.BatchNorm2d):
                    child[k], child[k + 1] = fuse_conv_bn_eval(layers[k], layers[k + 1]), nn.Identity()
    return module


def halve_weights(model):
    """Store float initialisers as float16, each followed by a Cast, and drop Identity nodes."""
    graph = model.graph
    alias = {n.output[0]: n.input[0] for n in graph.node if n.op_type == "Identity"}
    nodes = [n for n in graph.node if n.op_type != "Identity"]
    for node in nodes:
        for k, name in enumerate(node.input):
            while name in alias:
                name = alias[name]
            node.input[k] = name
    casts, kept = [], []
    for tensor in graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype == np.float32 and values.size > 4:
            half = numpy_helper.from_array(values.astype(np.float16), tensor.name + ".f16")
            casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=onnx.TensorProto.FLOAT))
            kept.append(half)
        else:
            kept.append(tensor)
    del graph.node[:], graph.initializer[:]
    graph.node.extend(casts + nodes)
    graph.initializer.extend(kept)
    onnx.checker.check_model(model)
    return model


def export(name, checkpoint, folder):
    kind, shape, outputs, axes = NETS[name]
    net = kind()
    state = torch.load(checkpoint)
    # A checkpoint of the embedder holds the directions of the people it learned from beside the net.
    net.load_state_dict({key.removeprefix("net."): value for key, value in state.items() if key != "centres"})
    net = fuse(net.eval())
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(parameter.half().float())
    path = pathlib.Path(folder) / f"{name}.onnx"
    image = torch.randn(shape, generator=torch.Generator().manual_seed(1)).clamp(-1, 1)
    torch.onnx.export(net, image, str(path), input_names=["image"], output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)
    model = halve_weights(onnx.load(path))
    strange = {n.op_type for n in model.graph.node} - OPERATORS
    if strange:
        raise SystemExit(f"{name}: operators outside the agreed set: {strange}")
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(str(path))
    sizes = [shape] if name != "detector" else [shape, (1, 3, 288, 512)]
    worst = 0.0
    for size in sizes:
        image = torch.randn(size, generator=torch.Generator().manual_seed(2)).clamp(-1, 1)
        with torch.no_grad():
            expected = net(image) if len(outputs) > 1 else [net(image)]
        for found, truth in zip(session.run(None, {"image": image.numpy()}), expected):
            worst = max(worst, np.abs(found - truth.numpy()).max() / max(1.0, np.abs(truth.numpy()).max()))
    if worst > 1e-3:
        raise SystemExit(f"{name}: onnxruntime differs from PyTorch by {worst}")
    print(f"{name}: {path.stat().st_size} bytes, difference {worst:.1e}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", required=True, help="where the .onnx files go")
    parser.add_argument("--canonical", help="canonical_face.npy; writes canonical_points.f32 too")
    for name in NETS:
        parser.add_argument(f"--{name}")
    options = parser.parse_args()
    for name in NETS:
        if checkpoint := getattr(options, name):
            export(name, checkpoint, options.folder)
    if options.canonical:
        Layout(HERE / "points.json", options.canonical).canonical.astype("<f4").tofile(pathlib.Path(options.folder) / "canonical_points.f32")


if __name__ == "__main__":
    main()
