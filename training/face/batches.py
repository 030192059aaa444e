"""Augmented training batches for the landmark and the mouth net, as the Rust side will crop them."""

import cv2
import numpy as np

from backgrounds import drawn, erase_face, piece
from occluders import covered_parts, occlude, skin_colour
from photometry import degrade, light_and_noise

FACE_SIDE, FACE_MARGIN = 128, 1.5  # pixels of the landmark crop; its side over the box of the 159 points
MOUTH_SIDE, MOUTH_REACH = 64, 1.25  # pixels of the mouth crop; its side in canonical units
GRAY = np.array([0.299, 0.587, 0.114], np.float32)


def crop_matrix(centre, side, angle, size, shift=(0, 0)):
    """Affine from the picture to a crop: `centre` goes to the middle plus `shift` pixels, `angle` radians become level."""
    scale = size / side
    c, s = scale * np.cos(angle), scale * np.sin(angle)
    linear = np.array([[c, s], [-s, c]])
    return np.hstack([linear, (np.full(2, size / 2) + shift - linear @ centre)[:, None]])


def face_frame(points, angle):
    """Centre and side of the landmark crop for points (159, 2+) whose eye line has `angle`."""
    c, s = np.cos(angle), np.sin(angle)
    level = np.array([[c, s], [-s, c]])
    turned = points[:, :2] @ level.T
    low, high = turned.min(0), turned.max(0)
    return level.T @ ((low + high) / 2), FACE_MARGIN * (high - low).max()


def warp(image, matrix, size, border=cv2.BORDER_REPLICATE, flags=cv2.INTER_LINEAR):
    """`matrix` speaks of coordinates in which pixel k spans k to k + 1; OpenCV's put its centre at k."""
    centred = np.hstack([matrix[:, :2], (matrix[:, 2] + matrix[:, :2].sum(1) / 2 - 0.5)[:, None]])
    return cv2.warpAffine(image, centred, (size, size), flags=flags, borderMode=border)


class Faces:
    """Pictures with points, pose and whether the lips are visible (1, 0, NaN: undecided), drawn by weight.

    `photos` are pictures without faces, `hands` RGBA cut-outs to hold before the faces.
    """

    def __init__(self, images, points, weights, visible, layout, photos, hands):
        self.images, self.visible, self.layout, self.photos, self.hands = images, visible, layout, photos, hands
        self.tones = np.array([images[i][88, 88] for i in range(min(200, len(images)))])  # of skin
        self.points = points[:, layout.indexes].astype(np.float64)
        poses = [layout.pose(p) for p in self.points]
        self.scale = np.array([p[0] for p in poses])
        self.yaw = np.array([np.arcsin(np.clip(p[1][0, 2], -1, 1)) for p in poses])
        self.angle = np.array([p[2] for p in poses])
        gap = np.linalg.norm(self.points[:, 25] - self.points[:, 35], axis=1) / self.scale
        # turned faces and wide open mouths are rare: they count up to three times
        weights = weights * (1 + 2 * np.clip(np.abs(self.yaw) / 0.5, 0, 1)) * (1 + 2 * np.clip(gap / 0.35, 0, 1))
        self.chance = np.cumsum(weights / weights.sum())

    def draw(self, rng):
        return min(int(np.searchsorted(self.chance, rng.random())), len(self.images) - 1)


def flip(image, points, mirror):
    points = points[mirror].copy()
    points[:, 0] = image.shape[1] - points[:, 0]
    return image[:, ::-1], points


def face_sample(faces, rng):
    """A well framed face: picture, points (159, 3) in crop units."""
    i = faces.draw(rng)
    image, points, angle = faces.images[i], faces.points[i], faces.angle[i]
    centre, side = face_frame(points, angle)
    wide = rng.random() < 0.35
    roll = rng.uniform(-0.8, 0.8) if rng.random() < 0.25 else rng.normal(0, 0.1)
    zoom = rng.uniform(-0.19, 0.19) if wide else rng.normal(0, 0.05)
    shift = rng.uniform(-0.1, 0.1, 2) if wide else rng.normal(0, 0.02, 2)
    if rng.random() < 0.3:
        spot = points[rng.integers(0, 159), :2] + rng.normal(0, 8, 2)
        image, _ = occlude(image, spot, side * rng.uniform(0.2, 0.75), skin_colour(image, points, rng), faces, rng)
    matrix = crop_matrix(centre, side * np.exp(zoom), angle + roll, FACE_SIDE, shift * FACE_SIDE)
    squeeze = np.diag([1, 1.0])
    if rng.random() < 0.3:  # other proportions of width to height
        squeeze[0, 0] = np.exp(rng.normal(0, 0.06))
    matrix = np.hstack([squeeze @ matrix[:, :2], (squeeze @ (matrix[:, 2] - FACE_SIDE / 2) + FACE_SIDE / 2)[:, None]])
    border = cv2.BORDER_REPLICATE if rng.random() < 0.6 else cv2.BORDER_CONSTANT
    picture = warp(image, matrix, FACE_SIDE, border)
    placed = np.empty_like(points)
    placed[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    placed[:, 2] = points[:, 2] * np.sqrt(abs(np.linalg.det(matrix[:, :2])))
    if rng.random() < 0.5:
        picture, placed = flip(picture, placed, faces.layout.mirror)
    return degrade(np.ascontiguousarray(picture), rng), placed / FACE_SIDE


def absent_sample(faces, rng):
    """No face, a face badly framed, upside down, or wiped out."""
    kind = rng.random()
    if kind < 0.3:
        picture = piece(faces.photos, FACE_SIDE, FACE_SIDE, rng)
    elif kind < 0.4:
        picture = drawn(FACE_SIDE, FACE_SIDE, rng, faces.tones)
    else:
        i = faces.draw(rng)
        image, points = faces.images[i], faces.points[i]
        centre, side = face_frame(points, faces.angle[i])
        roll, zoom, shift = rng.normal(0, 0.3), rng.normal(0, 0.15), rng.normal(0, 0.05, 2)
        wrong = rng.integers(0, 4)
        if wrong == 0:
            image = erase_face(image, points, rng)
        elif wrong == 1:
            zoom = rng.choice([rng.uniform(-1.5, -0.65), rng.uniform(0.6, 1.4)])
        elif wrong == 2:
            direction = rng.uniform(0, 2 * np.pi)
            shift = rng.uniform(0.33, 0.7) * np.array([np.cos(direction), np.sin(direction)])
        else:
            roll = np.pi + rng.uniform(-0.9, 0.9)
        matrix = crop_matrix(centre, side * np.exp(zoom), faces.angle[i] + roll, FACE_SIDE, shift * FACE_SIDE)
        picture = warp(image, matrix, FACE_SIDE, cv2.BORDER_REPLICATE if rng.random() < 0.7 else cv2.BORDER_CONSTANT)
    return degrade(np.ascontiguousarray(picture), rng)


def face_batch(faces, size, rng, absent=0.25):
    """Images (n, 3, 128, 128) in -1..1, points (n, 159, 3), presence (n, 1)."""
    pictures = np.empty((size, FACE_SIDE, FACE_SIDE, 3), np.float32)
    points = np.zeros((size, 159, 3), np.float32)
    present = np.zeros((size, 1), np.float32)
    for k in range(size):
        if k < size * absent:
            pictures[k] = absent_sample(faces, rng)
        else:
            pictures[k], points[k] = face_sample(faces, rng)
            present[k] = 1
    light_and_noise(pictures, rng)
    return (pictures / 127.5 - 1).transpose(0, 3, 1, 2), points, present


def visibility(mask, lips):
    """1 when next to nothing lies over the lips, 0 when they, or they and what is around them, are covered, else NaN."""
    on_lips, near = covered_parts(mask, lips)
    if on_lips > 0.33 or (on_lips > 0.2 and near > 0.4):
        return 0.0
    return 1.0 if on_lips < 0.08 and near < 0.2 else np.nan


def cover(image, points, side, faces, rng):
    """The picture with one or two props held near the lips (points (n, 2), the first 40), and the lips' visibility."""
    lips, mask = points[:40], np.zeros(image.shape[:2], np.float32)
    for _ in range(1 if rng.random() < 0.85 else 2):
        spot = lips.mean(0) + rng.normal(0, side * 0.25, 2)
        image, held = occlude(image, spot, side * rng.uniform(0.5, 2.4), skin_colour(image, points, rng), faces, rng)
        mask = np.maximum(mask, held)
    return image, visibility(mask, lips)


def mouth_sample(faces, rng, noise=1.0, training=True):
    """Gray picture (64, 64) 0..255, lip points (40, 2) in crop units, visibility (NaN: undecided)."""
    i = faces.draw(rng)
    image, points = faces.images[i], faces.points[i][:, :2]
    lips, visible = points[:40], faces.visible[i]
    side = MOUTH_REACH * faces.scale[i]
    if training and rng.random() < 0.5:
        image, uncovered = cover(image, points, side, faces, rng)
        visible = 0.0 if visible == 0 else visible * uncovered
    angle = faces.angle[i] + rng.normal(0, 0.06) * noise
    zoom, shift = rng.normal(0, 0.055) * noise, rng.normal(0, 0.035, 2) * noise
    matrix = crop_matrix(lips.mean(0), side * np.exp(zoom), angle, MOUTH_SIDE, shift * MOUTH_SIDE)
    picture = warp(image, matrix, MOUTH_SIDE, flags=cv2.INTER_CUBIC if rng.random() < 0.5 else cv2.INTER_LINEAR)
    placed = lips @ matrix[:, :2].T + matrix[:, 2]
    if training and rng.random() < 0.5:
        picture, placed = flip(picture, placed, faces.layout.mirror[:40])
    if training:
        picture = degrade(np.ascontiguousarray(picture), rng)
    return picture, placed / MOUTH_SIDE, visible


def normalise(gray):
    """Zero mean and about unit deviation for every (h, w) picture of 0..255 values."""
    return (gray - gray.mean((1, 2), keepdims=True)) / (gray.std((1, 2), keepdims=True) + 8)


def mouth_batch(faces, size, rng, noise=1.0, training=True):
    """Images (n, 1, 64, 64), lips (n, 40, 2), visibility (n, 1)."""
    pictures = np.empty((size, MOUTH_SIDE, MOUTH_SIDE, 3), np.float32)
    lips = np.empty((size, 40, 2), np.float32)
    visible = np.empty((size, 1), np.float32)
    for k in range(size):
        pictures[k], lips[k], visible[k] = mouth_sample(faces, rng, noise, training)
    if training:
        light_and_noise(pictures, rng)
    return normalise(pictures @ GRAY)[:, None].astype(np.float32), lips, visible
