#!/usr/bin/env python3
"""Tiny models with the contract of the face restorers, and what ONNX Runtime makes of a picture with them.

    python3 reference/make_enhancer_models.py    # needs onnx, onnxruntime, numpy; writes crates/dev/viseme-testing/src/models/

`restorer` takes what GFPGAN and RestoreFormer++ take, `restorer_weighted` what CodeFormer takes (its weight has 64 bits);
`restorer_identity` gives back what it gets.
"""
import json
from pathlib import Path

import numpy as np
import onnxruntime
from onnx import TensorProto as T
from onnx import checker, helper, numpy_helper, save

TARGET = Path(__file__).parent.parent / "crates/dev/viseme-testing/src/models"
SHAPE = [1, 3, 512, 512]
POINTS = [[0, 0, 0], [1, 511, 511], [2, 255, 17], [0, 300, 401], [2, 77, 509]]


def write(name, nodes, inputs, constants=()):
    value = lambda spec: helper.make_tensor_value_info(*spec)
    graph = helper.make_graph(nodes, name, [value(i) for i in inputs], [value(("output", T.FLOAT, SHAPE))],
                              [numpy_helper.from_array(array, name) for name, array in constants])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    save(model, TARGET / f"{name}.onnx")


def picture():
    """Red, green and blue on 0 to 255, in an order that no symmetry hides."""
    c, y, x = np.indices(SHAPE[1:])
    return ((x * 7 + y * 13 + c * 29) % 256).astype(np.float32)


def answers(name, **more):
    session = onnxruntime.InferenceSession(TARGET / f"{name}.onnx")
    made = session.run(None, {"input": (picture() / 127.5 - 1)[None], **more})[0][0]
    made = (made.clip(-1, 1) + 1) * 127.5
    return [round(float(made[tuple(point)]), 4) for point in POINTS]


def main():
    node = helper.make_node
    random = np.random.default_rng(5)
    weights = random.normal(0, 0.3, (8, 3, 3, 3)).astype(np.float32)
    back = random.normal(0, 0.1, (3, 8, 3, 3)).astype(np.float32)
    constants = [("weights", weights), ("back", back)]
    trunk = [node("Conv", ["input", "weights"], ["features"], kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
             node("LeakyRelu", ["features"], ["active"], alpha=0.2),
             node("Conv", ["active", "back"], ["change"], kernel_shape=[3, 3], pads=[1, 1, 1, 1])]
    face = ("input", T.FLOAT, SHAPE)
    write("restorer", [*trunk, node("Add", ["input", "change"], ["output"])], [face], constants)
    write("restorer_weighted",
          [*trunk, node("Cast", ["weight"], ["weight32"], to=T.FLOAT),
           node("Mul", ["change", "weight32"], ["weighted"]), node("Add", ["input", "weighted"], ["output"])],
          [face, ("weight", T.DOUBLE, [1])], constants)
    write("restorer_identity", [node("Identity", ["input"], ["output"])], [face])
    made = {"points": POINTS, "restorer": answers("restorer")}
    for weight in (0.0, 0.5, 1.0):
        made[f"weighted_{weight}"] = answers("restorer_weighted", weight=np.array([weight]))
    (TARGET / "restorer.json").write_text(json.dumps(made) + "\n")


if __name__ == "__main__":
    main()
