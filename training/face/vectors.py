"""Reference vectors for the Rust tests: drawn faces, rendered heads, and what the nets say about them."""

import argparse
import json
import pathlib

import cv2
import numpy as np
import onnxruntime

from batches import GRAY, normalise
from identity_batches import SIDE, alignment, five_points, normalised


def draw_face(canvas, centre, side, opening=0.1):
    """A plain drawn head of `side` pixels from hairline to chin."""
    x, y = centre
    at = lambda dx, dy: (int(round(x + dx * side)), int(round(y + dy * side)))
    length = lambda v: max(1, int(round(v * side)))
    skin, shade, dark, lip = (224, 176, 148), (196, 146, 118), (58, 40, 34), (178, 84, 84)
    cv2.ellipse(canvas, at(0, -0.08), (length(0.47), length(0.6)), 0, 0, 360, dark, -1, cv2.LINE_AA)
    cv2.rectangle(canvas, at(-0.17, 0.3), at(0.17, 0.8), shade, -1)
    cv2.ellipse(canvas, at(0, 0), (length(0.38), length(0.5)), 0, 0, 360, skin, -1, cv2.LINE_AA)
    for sign in (-1, 1):
        cv2.ellipse(canvas, at(sign * 0.17, -0.08), (length(0.075), length(0.04)), 0, 0, 360, (245, 245, 245), -1, cv2.LINE_AA)
        cv2.circle(canvas, at(sign * 0.17, -0.08), length(0.034), dark, -1, cv2.LINE_AA)
        cv2.ellipse(canvas, at(sign * 0.17, -0.13), (length(0.1), length(0.05)), 0, 200, 340, dark, length(0.025), cv2.LINE_AA)
    cv2.line(canvas, at(0, -0.05), at(-0.03, 0.12), shade, length(0.02), cv2.LINE_AA)
    cv2.ellipse(canvas, at(0, 0.13), (length(0.065), length(0.035)), 0, 0, 180, shade, length(0.02), cv2.LINE_AA)
    cv2.ellipse(canvas, at(0, 0.27), (length(0.14), length(0.045 + opening / 2)), 0, 0, 360, lip, -1, cv2.LINE_AA)
    cv2.ellipse(canvas, at(0, 0.27), (length(0.11), length(max(0.008, opening / 2))), 0, 0, 360, (70, 24, 28), -1, cv2.LINE_AA)


def backdrop(height, width):
    yy, xx = np.mgrid[:height, :width].astype(np.float32)
    return np.stack([90 + 60 * xx / width, 110 + 40 * yy / height, 130 + 20 * np.sin(xx / 17)], -1).astype(np.uint8)


def identity(nets, shard, indexes, out):
    """Rendered heads of a shard, aligned, and their directions in the default and in the clean net."""
    stored = np.load(shard)
    faces = np.stack([cv2.warpAffine(stored["images"][i], alignment(five_points(stored["points"][i]) - 0.5), (SIDE, SIDE)) for i in indexes])
    faces.tofile(out / "identity_input.u8")
    record = {"input": {"file": "identity_input.u8", "shape": list(faces.shape)}, "person": stored["identity"][indexes].tolist()}
    for name, path in (("default", nets / "identity.onnx"), ("clean", nets / "clean" / "identity.onnx")):
        found = onnxruntime.InferenceSession(str(path)).run(None, {"image": normalised(faces)})[0]
        record[name] = (found / np.linalg.norm(found, axis=1, keepdims=True)).round(6).tolist()
    (out / "identity.json").write_text(json.dumps(record) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--nets", required=True)
    parser.add_argument("--heads", help="a shard of rendered heads, for the embedder")
    parser.add_argument("--pictures", type=int, nargs="+", default=[0, 1, 2, 3], help="which of its pictures")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    nets, out = pathlib.Path(options.nets), pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    if options.heads:
        identity(nets, options.heads, options.pictures, out)
    frame, face, mouth = backdrop(160, 256), backdrop(128, 128), backdrop(64, 64)
    draw_face(frame, (90, 80), 84)
    draw_face(frame, (200, 70), 40, 0.02)
    draw_face(face, (64, 62), 84)
    draw_face(mouth, (32, 32 - 0.27 * 110), 110, 0.08)
    mouth = np.round(mouth.astype(np.float32) @ GRAY).clip(0, 255).astype(np.uint8)
    inputs = {
        "detector": (frame, (frame / 127.5 - 1).transpose(2, 0, 1)[None]),
        "landmarks": (face, (face / 127.5 - 1).transpose(2, 0, 1)[None]),
        "mouth": (mouth, normalise(mouth[None].astype(np.float32))[:, None]),
    }
    for name, (raw, tensor) in inputs.items():
        raw.tofile(out / f"{name}_input.u8")
        session = onnxruntime.InferenceSession(str(nets / f"{name}.onnx"))
        values = session.run(None, {"image": tensor.astype(np.float32)})
        record = {"input": {"file": f"{name}_input.u8", "shape": list(raw.shape)}}
        if name == "detector":  # all scores, but only the boxes worth comparing
            best = np.argsort(-values[1][0])[:12]
            record |= {"cells": values[1].shape[1], "best_cells": best.tolist(), "boxes": values[0][0][best].round(4).tolist(), "scores": values[1][0][best].round(6).tolist()}
        else:
            record |= {o.name: v[0].round(6).tolist() for o, v in zip(session.get_outputs(), values)}
        (out / f"{name}.json").write_text(json.dumps(record, indent=None) + "\n")


if __name__ == "__main__":
    main()
