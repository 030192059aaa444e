"""FaceMesh points of every clip's first frames: the reference that `evaluate.py` measures against."""

import argparse
import pathlib

import cv2
import mediapipe
import numpy as np

FRAMES, LONGEST, FACES = 300, 1280, 2


def follow(clip, step):
    """Points (n, 478, 3) in pixels, the frame of each row, the number of frames read, the frame's size."""
    mesh = mediapipe.solutions.face_mesh.FaceMesh(static_image_mode=False, max_num_faces=FACES, refine_landmarks=True, min_detection_confidence=0.5)
    video, rows, frames, k = cv2.VideoCapture(str(clip)), [], [], 0
    width = height = 0
    while k < FRAMES * step and video.grab():
        if k % step == 0:
            frame = video.retrieve()[1]
            height, width = frame.shape[:2]
            scale = min(1, LONGEST / max(height, width))
            small = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            for face in mesh.process(cv2.cvtColor(small, cv2.COLOR_BGR2RGB)).multi_face_landmarks or []:
                rows.append([(p.x * width, p.y * height, p.z * width) for p in face.landmark])
                frames.append(k)
        k += 1
    return np.array(rows, np.float32).reshape(-1, 478, 3), np.array(frames, int), k, (width, height)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--sparse", default="iot_person", help="clips of this name are read every fourth frame")
    options = parser.parse_args()
    out = pathlib.Path(options.out)
    out.mkdir(parents=True, exist_ok=True)
    for clip in sorted(pathlib.Path(options.clips).iterdir()):
        step = 4 if options.sparse in clip.name else 1
        points, frames, count, size = follow(clip, step)
        np.savez(out / f"{clip.name}.npz", points=points, frame=frames, frames=count, step=step, size=size)
        print(clip.name, count, len(points), flush=True)


if __name__ == "__main__":
    main()
