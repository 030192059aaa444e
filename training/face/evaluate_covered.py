"""How well an exported mouth net tells covered lips from visible ones, on validation people and props of their own.

Faces are augmented as in training (light, blur, noise), half of them with one or two props held near the lips; `plain` are
the same faces with no prop and no augmentation.
"""

import argparse
import pathlib

import numpy as np
import onnxruntime

import occluders
from batches import mouth_batch
from training import load_faces

THRESHOLDS = (0.3, 0.4, 0.5, 0.6)


def visible_of(session, images):
    return session.run(None, {"image": images})[1][:, 0]


def shares(values):
    return "  ".join(f"{100 * np.mean(values):5.1f}" for values in values)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prepared", required=True, help="folder written by prepare.py")
    parser.add_argument("--canonical", required=True, help="canonical_face.npy")
    parser.add_argument("--nets", required=True, nargs="+", help="folders with mouth.onnx")
    parser.add_argument("--count", type=int, default=3000)
    options = parser.parse_args()
    _, faces = load_faces(options)
    mixed = mouth_batch(faces, options.count, np.random.default_rng(11))
    plain = mouth_batch(faces, 600, np.random.default_rng(12), noise=0.6, training=False)
    kinds = dict(occluders.KINDS)
    by_kind = {}
    for kind in kinds:
        occluders.KINDS = {kind: (1.0, kinds[kind][1])}
        by_kind[kind] = mouth_batch(faces, options.count // 5, np.random.default_rng(13))
    for folder in options.nets:
        session = onnxruntime.InferenceSession(str(pathlib.Path(folder) / "mouth.onnx"))
        seen, truth = visible_of(session, mixed[0]), mixed[2][:, 0]
        print(folder, "\nper cent at thresholds", *THRESHOLDS)
        print(f"covered, taken as visible ({np.sum(truth == 0)}):", shares([seen[truth == 0] >= t for t in THRESHOLDS]))
        print(f"visible, taken as covered ({np.sum(truth == 1)}):", shares([seen[truth == 1] < t for t in THRESHOLDS]))
        clear = visible_of(session, plain[0])[plain[2][:, 0] == 1]
        print(f"plain, taken as covered ({len(clear)}):", shares([clear < t for t in THRESHOLDS]))
        for kind, (images, _, label) in by_kind.items():
            hidden = visible_of(session, images)[label[:, 0] == 0]
            print(f"  {kind} taken as visible ({len(hidden)}):", shares([hidden >= t for t in THRESHOLDS]))


if __name__ == "__main__":
    main()
