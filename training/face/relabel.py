"""Give every stored crop the 478 FaceMesh points, with depth, and how far they are from the stored 106."""

import argparse
import pathlib

import cv2
import mediapipe
import numpy as np

from crops import SIZE


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder with face_crops.npz")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    stored = np.load(pathlib.Path(options.data) / "face_crops.npz")
    jpeg, offsets, known, indexes = stored["jpg"], stored["off"], stored["points"], stored["mediapipe_index"]
    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=True, max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.3)
    points = np.full((len(known), 478, 3), np.nan, np.float32)
    error = np.full(len(known), np.inf, np.float32)  # mean distance over that of the outer eye corners
    for i in range(len(known)):
        crop = cv2.imdecode(jpeg[offsets[i]:offsets[i + 1]], cv2.IMREAD_COLOR)
        twice = cv2.resize(crop, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
        found = mesh.process(cv2.cvtColor(twice, cv2.COLOR_BGR2RGB)).multi_face_landmarks
        if found:
            points[i] = [(p.x * SIZE, p.y * SIZE, p.z * SIZE) for p in found[0].landmark]
            eyes = np.linalg.norm(points[i, 263, :2] - points[i, 33, :2])
            error[i] = np.linalg.norm(points[i, indexes, :2] - known[i], axis=1).mean() / max(eyes, 1)
    np.savez(options.out, points=points, err=error)
    print("found", np.isfinite(error).sum(), "of", len(error), "median error", np.median(error[np.isfinite(error)]))


if __name__ == "__main__":
    main()
