"""Holds props before faces, and says how much of the lips they cover."""

import cv2
import numpy as np

import props
from backgrounds import piece

# How often each prop is drawn, and how freely it is turned: standard deviation in degrees, None for any way round.
KINDS = {"real_hand": (0.24, 70), "drawn_hand": (0.1, None), "microphone": (0.14, 40), "spectacles": (0.09, 25), "cup": (0.08, 20),
         "slab": (0.07, 40), "lump": (0.08, None), "hair": (0.06, 50), "writing": (0.04, 8), "cloth": (0.04, 10), "patch": (0.06, None)}
TOP_HEAVY = {"microphone", "cup", "drawn_hand"}  # their interesting end is at 0.35 of their height

NEAR = 1.5  # the region around the lips that counts as near, over the lips' own hull


def skin_colour(image, points, rng):
    """A skin colour near the face's own (median of its middle), as RGB floats."""
    x, y = np.clip(points[:, :2].mean(0), 4, np.array(image.shape[1::-1]) - 5).astype(int)
    reach = max(2, int(np.ptp(points[:, 0]) * 0.2))
    patch = image[max(0, y - reach):y + reach, max(0, x - reach):x + reach].reshape(-1, 3)
    return np.median(patch, 0) * rng.uniform(0.75, 1.2) + rng.normal(0, 8, 3)


def draw(kind, size, image, colour, store, rng):
    """Picture and mask of a prop. `store` has `photos` (n pictures) and `hands` (n RGBA cut-outs, maybe none)."""
    if kind == "real_hand" and store.hands:
        return props.real_hand(size, colour, store.hands, rng)
    if kind in ("real_hand", "drawn_hand"):
        return props.drawn_hand(size, colour, rng)
    if kind in ("microphone", "spectacles", "writing"):
        return getattr(props, kind)(size, rng)
    if kind == "hair":
        return props.hair(size, image[:max(4, image.shape[0] // 5)].reshape(-1, 3)[rng.integers(0, 100)::97].mean(0), rng)
    own = rng.random() < 0.25  # a piece of the same picture has its light and noise
    texture = piece([image] if own else store.photos, 64, 64, rng)
    if kind == "patch":
        return props.patch(size, colour, texture, rng)
    return getattr(props, kind)(size, texture, rng)


def occlude(image, centre, reach, colour, store, rng):
    """Hold one prop of about `reach` pixels at `centre` into the uint8 `image`; returns the picture and the mask."""
    size = int(np.clip(reach, 12, 220))
    kind = rng.choice(list(KINDS), p=[chance for chance, _ in KINDS.values()])
    picture, mask = draw(kind, size, image, colour, store, rng)
    turned = KINDS[kind][1]
    angle = rng.uniform(-180, 180) if turned is None else rng.normal(0, turned)
    pivot = (size / 2, size * (0.35 if kind in TOP_HEAVY else 0.5))
    matrix = cv2.getRotationMatrix2D(pivot, angle, 1.0)
    matrix[:, 2] += np.asarray(centre) - pivot
    shape = image.shape[1::-1]
    mask = cv2.warpAffine(mask.astype(np.float32), matrix, shape, flags=cv2.INTER_LINEAR)
    picture = cv2.warpAffine(picture.astype(np.float32), matrix, shape, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    if rng.random() < 0.3:  # moving or out of focus
        blur = (0, 0), rng.uniform(0.6, 3)
        mask, picture = cv2.GaussianBlur(mask, *blur), cv2.GaussianBlur(picture, *blur)
    below = image.astype(np.float32)
    if rng.random() < 0.5:  # its shadow
        shift = np.float32([[1, 0, rng.normal(0, size * 0.05)], [0, 1, abs(rng.normal(0, size * 0.05))]])
        shadow = cv2.warpAffine(cv2.GaussianBlur(mask, (0, 0), max(1.0, size * 0.04)), shift, shape)
        below *= 1 - rng.uniform(0.1, 0.6) * shadow[..., None]
    return np.clip(below + (picture - below) * mask[..., None], 0, 255).astype(np.uint8), mask


def covered_parts(mask, lips):
    """Fractions of the lips' hull, and of the region near the lips, that lie under `mask`."""
    hull = cv2.convexHull(lips.astype(np.float32))
    centre = hull.mean(0)
    parts = []
    for scale in (1.0, NEAR):
        area = np.zeros(mask.shape, np.uint8)
        cv2.fillConvexPoly(area, ((hull - centre) * scale + centre).astype(np.int32), 1)
        parts.append(float((mask * area).sum() / max(area.sum(), 1)))
    return parts
