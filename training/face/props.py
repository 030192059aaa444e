"""Pictures of things that come between a camera and a face, each with a mask: (size, size, 3) RGB and (size, size) 0..1.

Every function takes the size in pixels, what it needs of colour and texture, and a random generator.
"""

import cv2
import numpy as np


def soften(mask, sigma):
    return cv2.GaussianBlur(mask, (0, 0), max(0.5, sigma)).astype(np.float32) / 255.0


def shaded(colour, size, rng, noise=3.0):
    """A colour under light from one side."""
    ramp = np.linspace(rng.uniform(0.6, 1.1), rng.uniform(0.7, 1.3), size)
    ramp = ramp[:, None] if rng.random() < 0.5 else ramp[None, :]
    return (ramp[..., None] * np.asarray(colour)) * np.ones((size, size, 1)) + rng.normal(0, noise, (size, size, 1))


def surface(size, texture, rng):
    """A flat colour or a piece of some photo, shaded."""
    if rng.random() < 0.5:
        return shaded(rng.uniform(0, 255, 3), size, rng)
    return cv2.resize(texture, (size, size), interpolation=cv2.INTER_LINEAR) * shaded(np.ones(3), size, rng, 0.01)


def drawn_hand(size, colour, rng):
    """A palm with three to five fingers, each shaded as the round thing that it is."""
    mask = np.zeros((size, size), np.uint8)
    depth = np.zeros((size, size), np.float32)
    palm, width = size * np.array([0.5, 0.68]), size * rng.uniform(0.07, 0.1)
    spread = rng.uniform(0.02, 0.35)
    parts = []
    for k in range(rng.integers(3, 6)):
        angle, length = (k - 2) * spread + rng.normal(0, 0.05), size * rng.uniform(0.25, 0.5)
        root = palm + size * np.array([0.075 * (k - 2), -0.14])
        parts.append((root, root + length * np.array([np.sin(angle), -np.cos(angle)]), width))
    parts.append((palm, np.array([palm[0] + rng.normal(0, size * 0.1), size]), size * 0.26))
    cv2.ellipse(mask, tuple(palm.astype(int)), (int(size * 0.2), int(size * 0.22)), 0, 0, 360, 255, -1)
    depth = np.maximum(depth, cv2.distanceTransform(mask, cv2.DIST_L2, 3) / (0.2 * size))
    for start, end, thick in parts:
        part = np.zeros_like(mask)
        cv2.line(part, tuple(start.astype(int)), tuple(end.astype(int)), 255, max(2, int(thick)))
        round_off = np.clip(cv2.distanceTransform(part, cv2.DIST_L2, 3) / (thick / 2), 0, 1)
        depth = np.where(part > 0, np.sqrt(round_off), depth)
        mask |= part
    shade = cv2.GaussianBlur(0.55 + 0.45 * np.clip(depth, 0, 1), (0, 0), max(0.5, size * 0.008))
    return shade[..., None] * shaded(colour, size, rng), soften(mask, size * 0.01)


def real_hand(size, colour, cut_outs, rng):
    """A hand cut out of a clip (hands.py), in about the skin colour of the face."""
    cut = cut_outs[rng.integers(len(cut_outs))]
    cut = cv2.resize(cut[:, ::-1] if rng.random() < 0.5 else cut, (size, size), interpolation=cv2.INTER_LINEAR).astype(np.float32)
    picture, mask = cut[..., :3], cut[..., 3] / 255.0
    own = (picture * mask[..., None]).sum((0, 1)) / max(mask.sum(), 1)
    change = np.clip(np.asarray(colour) / np.maximum(own, 20), 0.2, 3) ** rng.uniform(0.5, 1)
    return picture * change, mask


def microphone(size, rng):
    """A ball of wire or foam on a stick."""
    mask = np.zeros((size, size), np.uint8)
    centre, radius = (size // 2, int(size * 0.3)), int(size * rng.uniform(0.14, 0.26))
    stick = np.zeros_like(mask)
    cv2.line(stick, centre, (int(size * rng.uniform(0.35, 0.65)), size), 255, max(2, int(radius * rng.uniform(0.5, 1.3))))
    cv2.ellipse(mask, centre, (radius, int(radius * rng.uniform(1, 1.5))), 0, 0, 360, 255, -1)
    ball = mask > 0
    tone = rng.uniform(10, 120) if rng.random() < 0.7 else rng.uniform(120, 230)
    yy, xx = np.mgrid[:size, :size] / size
    shine = 0.6 + rng.uniform(0, 1.4) * np.exp(-((xx - rng.uniform(0.4, 0.6)) ** 2 + (yy - 0.22) ** 2) * 60)
    pitch = rng.uniform(60, 220)
    grille = 1 + rng.uniform(0, 0.5) * np.sin(xx * pitch) * np.sin(yy * pitch)
    tint = 1 + rng.normal(0, 0.05 if rng.random() < 0.8 else 0.5, 3)
    picture = np.where(ball[..., None], (tone * shine * grille)[..., None] * tint, shaded(np.full(3, rng.uniform(5, 160)), size, rng))
    return picture, soften(mask | stick, size * 0.01)


def spectacles(size, rng):
    """Spectacles held in the hand: rims around lenses that let some of the face through."""
    rims, lenses = (np.zeros((size, size), np.uint8) for _ in range(2))
    wide, high, thick = size * rng.uniform(0.18, 0.23), size * rng.uniform(0.1, 0.2), max(1, int(size * rng.uniform(0.012, 0.04)))
    y = size // 2
    for sign in (-1, 1):
        middle = (int(size / 2 + sign * size * 0.25), y)
        if rng.random() < 0.6:
            shape = cv2.ellipse2Poly(middle, (int(wide), int(high)), 0, 0, 360, 12)
        else:
            shape = np.array([(middle[0] + a * wide, y + b * high) for a, b in ((-1, -0.9), (1, -0.9), (0.85, 1), (-0.85, 1))], np.int32)
        cv2.fillPoly(lenses, [shape], 255)
        cv2.polylines(rims, [shape], True, 255, thick)
        end = (int(size / 2 + sign * size * rng.uniform(0.4, 0.5)), int(y - high + size * rng.uniform(-0.5, 0.3)))
        cv2.line(rims, (int(size / 2 + sign * size * 0.46), int(y - high * 0.7)), end, 255, thick)
    cv2.line(rims, (int(size * 0.45), y), (int(size * 0.55), y), 255, thick)
    dark = rng.uniform(0.4, 1) if rng.random() < 0.4 else rng.uniform(0.05, 0.4)
    through = soften(lenses, size * 0.008) * dark
    rim = soften(rims, size * 0.006)
    mask = np.maximum(rim, through)
    frame, glass = shaded(rng.uniform(0, 90, 3) if rng.random() < 0.8 else rng.uniform(0, 255, 3), size, rng), shaded(rng.uniform(10, 255, 3), size, rng)
    return np.where((rim >= through)[..., None], frame, glass), mask


def cup(size, texture, rng):
    """A cup, glass or bottle, upright, maybe with a handle."""
    mask = np.zeros((size, size), np.uint8)
    top, low, height = size * rng.uniform(0.14, 0.36), size * rng.uniform(0.1, 0.34), size * rng.uniform(0.3, 0.8)
    y = size * 0.25
    outline = np.array([(size / 2 - top, y), (size / 2 + top, y), (size / 2 + low, y + height), (size / 2 - low, y + height)], np.int32)
    cv2.fillPoly(mask, [outline], 255)
    cv2.ellipse(mask, (size // 2, int(y)), (int(top), int(top * rng.uniform(0.05, 0.35))), 0, 0, 360, 255, -1)
    if rng.random() < 0.4:
        cv2.ellipse(mask, (int(size / 2 + top), int(y + height * 0.45)), (int(size * 0.12), int(height * 0.3)), 0, 0, 360, 255, max(2, int(size * 0.05)))
    across = np.linspace(-1, 1, size)[None, :, None]
    round_off = np.clip(1.1 - 0.6 * (across - rng.uniform(-0.4, 0.4)) ** 2, 0.3, 1.3)
    return surface(size, texture, rng) * round_off, soften(mask, size * 0.008) * (rng.uniform(0.5, 0.9) if rng.random() < 0.15 else 1.0)


def slab(size, texture, rng):
    """A telephone, book, sheet or sign: four corners."""
    half = size * np.array([rng.uniform(0.12, 0.48), rng.uniform(0.15, 0.48)])
    corners = size / 2 + half * np.array([(-1, -1), (1, -1), (1, 1), (-1, 1)]) * rng.uniform(0.8, 1.1, (4, 2))
    mask = np.zeros((size, size), np.uint8)
    cv2.fillConvexPoly(mask, corners.astype(np.int32), 255)
    return surface(size, texture, rng), soften(mask, rng.uniform(0.5, 2.0))


def lump(size, texture, rng):
    """Something with an uneven round outline: food, a flower, a toy, a fist in a glove."""
    around = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    radius = 1 + sum(rng.normal(0, 0.25 / k) * np.cos(k * around + rng.uniform(0, 6.3)) for k in range(1, 5))
    half = size * np.array([rng.uniform(0.15, 0.42), rng.uniform(0.12, 0.42)])
    outline = size / 2 + np.clip(radius, 0.4, 1.5)[:, None] * np.stack([np.cos(around), np.sin(around)], 1) * half
    mask = np.zeros((size, size), np.uint8)
    cv2.fillPoly(mask, [outline.astype(np.int32)], 255)
    depth = cv2.distanceTransform(mask, cv2.DIST_L2, 3)
    shade = 0.5 + 0.6 * np.sqrt(depth / max(depth.max(), 1))
    return surface(size, texture, rng) * shade[..., None], soften(mask, size * 0.01)


def hair(size, colour, rng):
    """Strands that fall across."""
    mask = np.zeros((size, size), np.uint8)
    tone = np.full((size, size), 128, np.uint8)
    sway, spread = rng.normal(0, size * 0.25, 3), size * rng.uniform(0.03, 0.25)
    ys = np.linspace(-5, size + 5, 12)
    base = size / 2 + np.interp(ys, [0, size / 2, size], sway)
    for _ in range(rng.integers(8, 60)):
        xs = base + rng.normal(0, spread) + rng.normal(0, size * 0.01, 12)
        strand = np.stack([xs, ys], 1).astype(np.int32)
        cv2.polylines(mask, [strand], False, 255, int(rng.integers(1, 3 + size // 50)), cv2.LINE_AA)
        cv2.polylines(tone, [strand], False, int(rng.uniform(60, 220)), 1, cv2.LINE_AA)
    return (tone / 128.0)[..., None] * shaded(colour, size, rng), soften(mask, 0.6)


def writing(size, rng):
    """Captions, marks and stickers laid over the picture, with or without a box behind."""
    mask = np.zeros((size, size), np.uint8)
    ink = rng.uniform(0, 255, 3) if rng.random() < 0.5 else np.full(3, rng.choice([0.0, 255.0]))
    picture = np.tile(rng.uniform(0, 255, 3) if rng.random() < 0.5 else 255 - ink, (size, size, 1))
    box, height = rng.random() < 0.4, size * rng.uniform(0.06, 0.3)
    for line in range(rng.integers(1, 4)):
        text = "".join(chr(rng.integers(48, 123)) for _ in range(rng.integers(3, 14)))
        foot = (int(size * rng.uniform(0, 0.3)), int(size * 0.45 + line * height * 1.5))
        if box:
            cv2.rectangle(mask, (0, int(foot[1] - 1.2 * height)), (size, int(foot[1] + 0.3 * height)), 255, -1)
        letters = np.zeros_like(mask)
        cv2.putText(letters, text, foot, int(rng.integers(0, 5)), height / 22, 255, max(1, int(height * rng.uniform(0.08, 0.25))), cv2.LINE_AA)
        picture = np.where(letters[..., None] > 0, ink, picture)
        mask |= letters
    return picture, soften(mask, 0.5)


def cloth(size, texture, rng):
    """A mask, scarf or collar drawn up over the mouth: wide, with folds."""
    mask = np.zeros((size, size), np.uint8)
    top = size * rng.uniform(0.2, 0.45)
    sag = size * rng.uniform(-0.1, 0.12)
    outline = [(0, top + size * 0.08), (size * 0.5, top - sag), (size, top + size * 0.08), (size * 0.85, size * 0.85), (size * 0.5, size), (size * 0.15, size * 0.85)]
    cv2.fillPoly(mask, [np.array(outline, np.int32)], 255)
    yy = np.linspace(0, 1, size)[:, None, None]
    folds = 1 + rng.uniform(0, 0.2) * np.sin(yy * rng.uniform(15, 50) + rng.uniform(0, 6) * np.linspace(0, 1, size)[None, :, None])
    tint = rng.choice([(235, 240, 245), (120, 180, 220), (30, 30, 34)]) if rng.random() < 0.5 else None
    return (surface(size, texture, rng) if tint is None else shaded(tint, size, rng)) * folds, soften(mask, size * 0.008)


def patch(size, colour, texture, rng):
    """A blob, bar or polygon of a flat colour, skin, or a piece of some photo."""
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
    picture = shaded(colour, size, rng) if rng.random() < 0.4 else surface(size, texture, rng)
    return picture, soften(mask, rng.uniform(0.5, 2.5))
