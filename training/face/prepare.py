"""Gather everything the trainings read, once: faces with turned and wide-mouthed copies, hands, and small pictures without faces.

Writes plain .npy files, which the trainings map into memory.
"""

import argparse
import pathlib
import shutil

import cv2
import numpy as np

from backgrounds import load_photos
from crops import HELD_HANDS, Crops, Layout
from mouths import add_wider
from views import add_views

HERE = pathlib.Path(__file__).parent
VIEWS = 3  # turned copies of each face
VIEWS_SHARE, WIDER_SHARE = 0.6, 0.5  # weight of the copies over that of their faces


class Pile:
    """Faces with what belongs to each, as lists of arrays."""

    def __init__(self):
        self.arrays = {name: [] for name in ("images", "points", "weights", "visible")}

    def add(self, **arrays):
        for name, array in arrays.items():
            self.arrays[name].append(array)

    def joined(self, name):
        return np.concatenate(self.arrays[name])

    def save(self, folder, start=""):
        for name in self.arrays:
            array = self.joined(name)
            np.save(folder / f"{start}{name}.npy", array if name == "images" else array.astype(np.float32))


def add_copies(faces, layout, rng):
    """Turned copies of every face, and copies with a wider open mouth of those whose lips are apart."""
    images, points, weights, visible = (faces.joined(name) for name in faces.arrays)
    wide, placed, of = add_wider(images, points, layout, rng)
    faces.add(images=wide, points=placed, weights=weights[of] * WIDER_SHARE, visible=visible[of])
    yaws = [np.arcsin(np.clip(layout.pose(p[layout.indexes].astype(np.float64))[1][0, 2], -1, 1)) for p in points]
    turned, moved = add_views(images, points, yaws, VIEWS, rng)
    faces.add(images=turned, points=moved, weights=np.repeat(weights, VIEWS) * VIEWS_SHARE / VIEWS, visible=np.repeat(visible, VIEWS))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with face_crops.npz, SOURCES.tsv and canonical_face.npy")
    parser.add_argument("--labels", required=True, help="written by relabel.py")
    parser.add_argument("--photos", required=True, help="folder of pictures without faces")
    parser.add_argument("--hands", help="folder written by hands.py")
    parser.add_argument("--tiers", default="ABC")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    data, out = pathlib.Path(options.data), pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    layout = Layout(HERE / "points.json", data / "canonical_face.npy")
    crops = Crops(data, options.labels, options.tiers)
    part = lambda chosen: dict(images=crops.images[chosen], points=crops.points[chosen], weights=crops.weight[chosen], visible=crops.visible[chosen])
    faces, held = Pile(), Pile()
    faces.add(**part(~crops.validation))
    held.add(**part(crops.validation))
    add_copies(faces, layout, np.random.default_rng(0))
    faces.save(out)
    held.save(out, "held_")
    for hand in pathlib.Path(options.hands).glob("*.png") if options.hands else []:
        shutil.copy(hand, out / ("held_" * hand.name.startswith(tuple(f"hand_{clip}" for clip in HELD_HANDS)) + hand.name))
    for k, photo in enumerate(load_photos(options.photos) if options.photos else []):
        cv2.imwrite(str(out / f"photo{k:04d}.jpg"), photo[..., ::-1])
    print("faces, wider, turned:", [len(a) for a in faces.arrays["images"]], "held out", crops.validation.sum())


if __name__ == "__main__":
    main()
