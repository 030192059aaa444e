#!/usr/bin/env python3
"""Tiny models for the conformance suite of the runtimes.

    python3 reference/make_runtime_models.py    # needs onnx, numpy; writes crates/dev/viseme-testing/src/models/
"""
from pathlib import Path

import numpy as np
from onnx import TensorProto as T
from onnx import checker, helper, numpy_helper, save

TARGET = Path(__file__).parent.parent / "crates/dev/viseme-testing/src/models"


def write(name, nodes, inputs, outputs, constants=(), opset=17):
    value = lambda spec: helper.make_tensor_value_info(*spec)
    graph = helper.make_graph(
        nodes, name, [value(i) for i in inputs], [value(o) for o in outputs],
        [numpy_helper.from_array(array, name) for name, array in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    checker.check_model(model)
    save(model, TARGET / f"{name}.onnx")


def main():
    TARGET.mkdir(exist_ok=True)
    node = helper.make_node
    # The sum over 3x3 neighbours and channels, plus 0.5; any number of items.
    write("neighbours", [node("Conv", ["image", "weights", "bias"], ["sums"], kernel_shape=[3, 3],
                                 strides=[1, 1], dilations=[1, 1], pads=[1, 1, 1, 1])],
          [("image", T.FLOAT, ["n", 2, 4, 5])], [("sums", T.FLOAT, ["n", 1, 4, 5])],
          [("weights", np.ones((1, 2, 3, 3), np.float32)), ("bias", np.full(1, 0.5, np.float32))])
    # A factor of 64 bits, as CodeFormer has it; an index of 64 bits; bytes.
    write("kinds", [node("Cast", ["factor"], ["factor32"], to=T.FLOAT),
                    node("Mul", ["image", "factor32"], ["scaled"]),
                    node("Gather", ["image", "index"], ["picked"], axis=1),
                    node("Cast", ["bytes"], ["floats"], to=T.FLOAT),
                    node("Shape", ["image"], ["shape"])],
          [("image", T.FLOAT, ["n", 3]), ("factor", T.DOUBLE, [1]), ("index", T.INT64, [1]), ("bytes", T.UINT8, [4])],
          [("scaled", T.FLOAT, ["n", 3]), ("picked", T.FLOAT, ["n", 1]), ("floats", T.FLOAT, [4]), ("shape", T.INT64, [2])])
    # 16-bit floats in and out: x * 2 + 1.
    write("half", [node("Mul", ["x", "two"], ["doubled"]), node("Add", ["doubled", "one"], ["y"])],
          [("x", T.FLOAT16, ["n", 4])], [("y", T.FLOAT16, ["n", 4])],
          [("two", np.array([2], np.float16)), ("one", np.array([1], np.float16))])
    # What rten must not run.
    write("volume", [node("GridSample", ["volume", "grid"], ["sampled"], mode="linear", align_corners=1)],
          [("volume", T.FLOAT, [1, 1, 2, 2, 2]), ("grid", T.FLOAT, [1, 1, 1, "n", 3])],
          [("sampled", T.FLOAT, [1, 1, 1, 1, "n"])], opset=20)
    write("quantised", [node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
                        node("DequantizeLinear", ["q", "scale", "zero"], ["y"])],
          [("x", T.FLOAT, ["n", 4])], [("y", T.FLOAT, ["n", 4])],
          [("scale", np.array(0.5, np.float32)), ("zero", np.array(128, np.uint8))])
    # The end of a net that paints pictures: twice doubled, with a sum and with what an encoder saw.
    rng = np.random.default_rng(7)
    weights = {name: rng.standard_normal(shape).astype(np.float32) / 4 for name, shape in {
        "up1.w": (2, 3, 3, 3), "same.w": (3, 3, 3, 3), "up2.w": (5, 4, 3, 3), "seen.w": (2, 2, 1, 1), "paint.w": (3, 4, 3, 3)}.items()}
    conv = lambda name, x, y, side: node("Conv", [x, name], [y], kernel_shape=[side, side], strides=[1, 1], pads=[side // 2] * 4)
    double = lambda name, x, y: node("ConvTranspose", [x, name], [y], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4,
                                     output_padding=[1, 1])
    write("painter", [double("up1.w", "small", "doubled"), node("Relu", ["doubled"], ["bright"]),
                      conv("same.w", "bright", "smooth", 3), node("Add", ["smooth", "bright"], ["sum"]),
                      conv("seen.w", "picture", "seen", 1), node("Concat", ["sum", "seen"], ["joined"], axis=1),
                      double("up2.w", "joined", "large"), conv("paint.w", "large", "painted", 3),
                      node("Sigmoid", ["painted"], ["face"])],
          [("small", T.FLOAT, ["n", 2, 6, 5]), ("picture", T.FLOAT, ["n", 2, 12, 10])],
          [("face", T.FLOAT, ["n", 3, 24, 20])], list(weights.items()))
    # What RIFE takes and gives: one picture dissolves into the other; the same with a sampling that rten must not run.
    picture = [("input", T.FLOAT, [1, 7, "height", "width"])], [("output", T.FLOAT, [1, 3, "height", "width"])]
    parts = node("Split", ["input", "parts"], ["leaving", "arriving", "share"], axis=1), ("parts", np.array([3, 3, 1]))
    write("dissolve", [parts[0], node("Sub", ["arriving", "leaving"], ["difference"]),
                       node("Mul", ["difference", "share"], ["change"]),
                       node("Add", ["leaving", "change"], ["output"])], *picture, [parts[1]])
    write("repeated_edges", [parts[0], node("GridSample", ["leaving", "grid"], ["output"], padding_mode="border")],
          *picture, [parts[1], ("grid", np.zeros((1, 4, 4, 2), np.float32))])


if __name__ == "__main__":
    main()
