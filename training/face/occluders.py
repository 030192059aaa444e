"""Drawn things that come between a camera and a face: hands, microphones, patches. All procedural."""

import cv2
import numpy as np


def skin_colour(image, points, rng):
    """A skin colour near the face's own (median of its middle), as RGB floats."""
    x, y = np.clip(points[:, :2].mean(0), 4, np.array(image.shape[1::-1]) - 5).astype(int)
    reach = max(2, int(np.ptp(points[:, 0]) * 0.2))
    patch = image[max(0, y - reach):y + reach, max(0, x - reach):x + reach].reshape(-1, 3)
    return np.median(patch, 0) * rng.uniform(0.75, 1.2) + rng.normal(0, 8, 3)


def hand_mask(size, rng):
    """Soft mask of a palm with three to five fingers, and its shading, both (size, size) floats."""
    mask = np.zeros((size, size), np.uint8)
    shade = np.full((size, size), 200, np.uint8)
    palm = size * np.array([0.5, 0.68])
    cv2.ellipse(mask, tuple(palm.astype(int)), (int(size * 0.2), int(size * 0.22)), 0, 0, 360, 255, -1)
    spread, width = rng.uniform(0.08, 0.35), size * rng.uniform(0.07, 0.095)
    for k in range(rng.integers(3, 6)):
        angle = (k - 2) * spread + rng.normal(0, 0.05)
        length = size * rng.uniform(0.3, 0.5)
        root = palm + size * np.array([0.075 * (k - 2), -0.14])
        tip = root + length * np.array([np.sin(angle), -np.cos(angle)])
        ends = tuple(root.astype(int)), tuple(tip.astype(int))
        cv2.line(shade, *ends, int(rng.uniform(120, 170)), int(width) + 3)
        cv2.line(shade, *ends, int(rng.uniform(195, 235)), max(1, int(width * 0.8)))
        cv2.line(mask, *ends, 255, max(2, int(width)))
    cv2.line(mask, tuple(palm.astype(int)), (int(palm[0] + rng.normal(0, size * 0.1)), size), 255, int(size * 0.26))
    blur = max(0.6, size * 0.012)
    return cv2.GaussianBlur(mask, (0, 0), blur) / 255.0, cv2.GaussianBlur(shade, (0, 0), blur * 2) / 200.0


def hand(size, colour, rng):
    """RGB picture (float) and mask of a hand in the given colour."""
    mask, shade = hand_mask(size, rng)
    light = np.linspace(rng.uniform(0.7, 1.1), rng.uniform(0.8, 1.25), size)[None, :]
    picture = (shade * light)[..., None] * np.asarray(colour)
    return picture + rng.normal(0, 4, (size, size, 1)), mask


def microphone(size, rng):
    """RGB picture (float) and mask of a dark ball on a stick."""
    mask = np.zeros((size, size), np.uint8)
    centre, radius = (size // 2, int(size * 0.3)), int(size * rng.uniform(0.14, 0.26))
    cv2.line(mask, centre, (int(size * rng.uniform(0.35, 0.65)), size), 255, max(2, int(radius * rng.uniform(0.6, 1.3))))
    cv2.ellipse(mask, centre, (radius, int(radius * rng.uniform(1, 1.5))), 0, 0, 360, 255, -1)
    tone = rng.uniform(10, 120) if rng.random() < 0.8 else rng.uniform(120, 220)
    yy, xx = np.mgrid[:size, :size] / size
    shine = 1 + rng.uniform(0, 1.2) * np.exp(-((xx - 0.45) ** 2 + (yy - 0.22) ** 2) * 60)
    grille = 1 + rng.uniform(0, 0.3) * np.sin(xx * 150) * np.sin(yy * 150)
    picture = (tone * shine * grille)[..., None] * (1 + rng.normal(0, 0.05, 3))
    return picture, cv2.GaussianBlur(mask, (0, 0), max(0.5, size * 0.01)) / 255.0


def patch(size, colour, texture, rng):
    """A blob, bar or rectangle of a flat colour, skin, or a piece of some photo."""
    mask = np.zeros((size, size), np.uint8)
    kind = rng.integers(0, 3)
    half = (int(size * rng.uniform(0.15, 0.5)), int(size * rng.uniform(0.1, 0.5)))
    if kind == 0:
        cv2.ellipse(mask, (size // 2, size // 2), half, rng.uniform(0, 180), 0, 360, 255, -1)
    elif kind == 1:
        box = cv2.boxPoints(((size / 2, size / 2), (2 * half[0], 2 * half[1]), rng.uniform(0, 180)))
        cv2.fillPoly(mask, [box.astype(np.int32)], 255)
    else:
        corners = (size / 2 + size * 0.45 * rng.uniform(-1, 1, (5, 2))).astype(np.int32)
        cv2.fillPoly(mask, [cv2.convexHull(corners)], 255)
    source = rng.integers(0, 3)
    if source == 0 and texture is not None:
        picture = cv2.resize(texture, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    else:
        tint = np.asarray(colour) if source == 1 else rng.uniform(0, 255, 3)
        ramp = np.linspace(rng.uniform(0.6, 1.1), rng.uniform(0.7, 1.3), size)[:, None, None]
        picture = np.broadcast_to(ramp * tint, (size, size, 3)) + rng.normal(0, 3, (size, size, 1))
    return picture, cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.5, 2.5)) / 255.0


def occlude(image, centre, reach, colour, texture, rng):
    """Paste one occluder of about `reach` pixels at `centre` into the uint8 `image`; returns it and the mask."""
    size = int(np.clip(reach, 12, 220))
    kind = rng.choice(["hand", "hand", "microphone", "patch"])
    if kind == "hand":
        picture, mask = hand(size, colour, rng)
    elif kind == "microphone":
        picture, mask = microphone(size, rng)
    else:
        picture, mask = patch(size, colour, texture, rng)
    pivot = (size / 2, size * (0.35 if kind != "patch" else 0.5))
    turn = rng.uniform(-180, 180) if kind == "hand" else rng.normal(0, 35)
    matrix = cv2.getRotationMatrix2D(pivot, turn, 1.0)
    matrix[:, 2] += np.asarray(centre) - pivot
    shape = image.shape[1::-1]
    mask = cv2.warpAffine(mask.astype(np.float32), matrix, shape, flags=cv2.INTER_LINEAR)
    picture = cv2.warpAffine(np.ascontiguousarray(picture, dtype=np.float32), matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    blended = image + (picture - image) * mask[..., None]
    return np.clip(blended, 0, 255).astype(np.uint8), mask
