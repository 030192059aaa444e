"""Labels talking-head videos with MediaPipe FaceMesh: python label.py OUTPUT.npz canonical_face.npy VIDEO…  (pip install mediapipe)

Each video becomes canonical mouth shapes at 25 frames/s with its log-mel; the same rows as speech_mouth.npz, unquantised.
"""
import subprocess
import sys
from pathlib import Path

import numpy as np

from data import FACE_POINTS, MOUTH_POINTS
from features import SAMPLE_RATE, load_audio, log_mel

POSE_POINTS = list(FACE_POINTS[85:123])   # rigid part of the face
FPS = 25


def read_frames(path):
    size = subprocess.run(['ffprobe', '-v', 'error', '-select_streams', 'v:0', '-show_entries', 'stream=width,height', '-of', 'csv=p=0', path],
                          capture_output=True, text=True, check=True).stdout.strip().strip(',')
    width, height = map(int, size.split(',')[:2])
    raw = subprocess.run(['ffmpeg', '-v', 'error', '-i', path, '-vf', f'fps={FPS}', '-f', 'rawvideo', '-pix_fmt', 'rgb24', '-'],
                         capture_output=True, check=True).stdout
    count = len(raw) // (width * height * 3)
    return np.frombuffer(raw[:count * width * height * 3], np.uint8).reshape(count, height, width, 3)


def similarity(points, target):
    """scale, rotation, shift that bring `points` onto `target` in the least squares sense."""
    a, b = points - points.mean(0), target - target.mean(0)
    u, s, vt = np.linalg.svd(a.T @ b)
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u @ sign @ vt).T
    scale = (s * np.diag(sign)).sum() / (a ** 2).sum()
    return scale, rotation, target.mean(0) - scale * rotation @ points.mean(0)


def canonical_faces(frames, canonical):
    """(n, 478, 3) faces moved onto the canonical one, or None when under 95 % of the frames show a face."""
    import mediapipe
    mesh = mediapipe.solutions.face_mesh.FaceMesh(max_num_faces=1, refine_landmarks=True, min_detection_confidence=0.4, min_tracking_confidence=0.4)
    height, width = frames.shape[1:3]
    faces = []
    for frame in frames:
        found = mesh.process(frame).multi_face_landmarks
        if found:
            faces.append(np.array([(p.x * width, p.y * height, p.z * width) for p in found[0].landmark]))
        elif faces:
            faces.append(faces[-1])
    mesh.close()
    if len(faces) < 0.95 * len(frames):
        return None
    aligned = []
    for face in faces:
        scale, rotation, shift = similarity(face[POSE_POINTS], canonical[POSE_POINTS])
        aligned.append(scale * face @ rotation.T + shift)
    return np.array(aligned)


def gap(faces, a, b):
    return np.linalg.norm(faces[:, a] - faces[:, b], axis=-1)


def label(path, canonical):
    """dict of mel, shape, opening, width for one video, or None without a steady face and sound."""
    faces, sound = canonical_faces(read_frames(path), canonical), load_audio(path)
    if faces is None or not len(sound):
        return None
    count = min(len(faces), int(len(sound) / SAMPLE_RATE * FPS))
    faces, mel = faces[:count], log_mel(sound)[:4 * count]
    return {'mel': mel, 'shape': faces[:, list(MOUTH_POINTS)].astype(np.float32), 'width': gap(faces, 61, 291).astype(np.float32),
            'opening': ((gap(faces, 13, 14) + 0.5 * (gap(faces, 82, 87) + gap(faces, 312, 317))) / 2).astype(np.float32)}


def main(output, canonical, *videos):
    canonical = np.load(canonical).astype(np.float64)
    rows = {}
    for path in videos:
        clip = label(path, canonical)
        if clip:
            rows.update({f'{Path(path).stem}/{name}': value for name, value in clip.items()})
    np.savez_compressed(output, **rows)


if __name__ == '__main__':
    main(*sys.argv[1:])
