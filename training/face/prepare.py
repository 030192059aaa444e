"""Gather everything the trainings read, once: faces with turned copies, and small pictures without faces.

Writes plain .npy files, which the trainings map into memory.
"""

import argparse
import pathlib

import cv2
import numpy as np

from backgrounds import load_photos
from crops import Crops, Layout
from views import add_views

HERE = pathlib.Path(__file__).parent
VIEWS = 2  # turned copies of each face


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with face_crops.npz, SOURCES.tsv and canonical_face.npy")
    parser.add_argument("--labels", required=True, help="written by relabel.py")
    parser.add_argument("--photos", required=True, help="folder of pictures without faces")
    parser.add_argument("--rendered", help="npz of rendered heads: images (n,176,176,3) RGB, points (n,478,3)")
    parser.add_argument("--tiers", default="ABC")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    data, out = pathlib.Path(options.data), pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    layout = Layout(HERE / "points.json", data / "canonical_face.npy")
    crops = Crops(data, options.labels, options.tiers)
    held = crops.validation
    images, points, weights = crops.images[~held], crops.points[~held], crops.weight[~held]
    if options.rendered:
        extra = np.load(options.rendered)
        images, points = np.concatenate([images, extra["images"]]), np.concatenate([points, extra["points"]])
        weights = np.concatenate([weights, np.full(len(extra["images"]), weights.sum() * 0.3 / len(extra["images"]))])
    yaws = [np.arcsin(np.clip(layout.pose(p[layout.indexes].astype(np.float64))[1][0, 2], -1, 1)) for p in points]
    turned, moved = add_views(images, points, yaws, VIEWS, np.random.default_rng(0))
    save = lambda name, array: np.save(out / f"{name}.npy", array)
    save("images", np.concatenate([images, turned]))
    save("points", np.concatenate([points, moved]).astype(np.float32))
    save("weights", np.concatenate([weights, np.repeat(weights, VIEWS) * 0.6 / VIEWS]))
    save("held_images", crops.images[held])
    save("held_points", crops.points[held])
    for k, photo in enumerate(load_photos(options.photos) if options.photos else []):
        cv2.imwrite(str(out / f"photo{k:04d}.jpg"), photo[..., ::-1])
    print("faces", len(images), "turned", len(turned), "held out", held.sum())


if __name__ == "__main__":
    main()
