"""Pictures without a face: free wallpapers, sample photos and clips, drawn patterns, and crops with the face erased."""

import pathlib

import cv2
import numpy as np

_WITH_PEOPLE = ("astronaut", "camera.png", "store-aisle", "horse.png")


def load_photos(folder, side=640):
    """All usable pictures and video stills below `folder`, RGB uint8, long side at most `side`."""
    photos = []
    for path in sorted(pathlib.Path(folder).rglob("*")):
        if any(part in path.name for part in _WITH_PEOPLE) or path.name.startswith("sheet"):
            continue
        if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp"):
            picture = cv2.imread(str(path))
            photos += [] if picture is None or min(picture.shape[:2]) < 100 else [picture]
        elif path.suffix in (".gif", ".mp4"):
            photos += stills(path)
    return [shrink(p, side)[..., ::-1].copy() for p in photos]


def stills(path, count=10):
    video, frames = cv2.VideoCapture(str(path)), []
    while True:
        found, frame = video.read()
        if not found:
            return frames[:: max(1, len(frames) // count)]
        frames.append(frame)


def shrink(picture, side):
    scale = side / max(picture.shape[:2])
    return picture if scale >= 1 else cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)


def drawn(height, width, rng, colours=None):
    """Gradients, blurred noise and random shapes; `colours` (k, 3) makes some of the shapes flesh-coloured."""
    small = rng.uniform(0, 255, (rng.integers(2, 12), rng.integers(2, 12), 3)).astype(np.float32)
    canvas = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC if rng.random() < 0.6 else cv2.INTER_NEAREST)
    canvas = np.clip((canvas - 128) * rng.uniform(0.1, 1) + rng.uniform(20, 235), 0, 255).astype(np.uint8)
    for _ in range(rng.integers(0, 14)):
        colour = rng.uniform(0, 255, 3) if colours is None or rng.random() < 0.5 else colours[rng.integers(len(colours))] * rng.uniform(0.6, 1.2)
        colour = tuple(float(c) for c in np.clip(colour, 0, 255))
        centre = int(rng.integers(0, width)), int(rng.integers(0, height))
        axes = int(rng.uniform(4, width / 4)), int(rng.uniform(4, height / 3))
        if rng.random() < 0.6:
            cv2.ellipse(canvas, centre, axes, rng.uniform(0, 180), 0, 360, colour, -1 if rng.random() < 0.8 else 3)
        elif rng.random() < 0.5:
            cv2.rectangle(canvas, centre, (centre[0] + axes[0], centre[1] + axes[1]), colour, -1)
        else:
            cv2.putText(canvas, "".join(chr(rng.integers(48, 123)) for _ in range(6)), centre, 0, rng.uniform(0.5, 3), colour, int(rng.integers(1, 6)))
    return cv2.GaussianBlur(canvas, (0, 0), rng.uniform(0.5, 6)) if rng.random() < 0.4 else canvas


def erase_face(image, points, rng):
    """A head without a face: its inside becomes smooth skin, hair colour or a shuffled texture."""
    hull = cv2.convexHull(points[:, :2].astype(np.float32))
    centre = hull.mean(0)
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillPoly(mask, [((hull - centre) * rng.uniform(0.95, 1.15) + centre).astype(np.int32)], 255)
    mask = cv2.GaussianBlur(mask, (0, 0), 3)[..., None] / 255.0
    kind = rng.integers(0, 4)
    if kind == 0:
        x, y = points[:, :2].mean(0)
        fill = np.full(image.shape, image[int(np.clip(y, 0, image.shape[0] - 1)), int(np.clip(x, 0, image.shape[1] - 1))], np.float32)
        fill *= np.linspace(rng.uniform(0.5, 1), rng.uniform(0.8, 1.3), image.shape[1])[None, :, None]
    elif kind == 1:
        fill = np.full(image.shape, image[2:30].mean((0, 1)), np.float32) * (1 + rng.normal(0, 0.08, image.shape[:2])[..., None])
    elif kind == 2:
        fill = np.roll(image, image.shape[0] // 2, rng.integers(0, 2))
    else:
        tiles = image[:160, :160].reshape(8, 20, 8, 20, 3).swapaxes(1, 2).reshape(64, 20, 20, 3)
        shuffled = tiles[rng.permutation(64)].reshape(8, 8, 20, 20, 3).swapaxes(1, 2).reshape(160, 160, 3)
        fill = cv2.resize(shuffled, image.shape[1::-1])
    return np.clip(image * (1 - mask) + fill * mask, 0, 255).astype(np.uint8)


def piece(photos, height, width, rng):
    """A random piece of a random photo."""
    photo = photos[rng.integers(len(photos))]
    scale = np.exp(rng.uniform(np.log(0.15), 0)) * min(photo.shape[0] / height, photo.shape[1] / width)
    h, w = max(8, int(height * scale)), max(8, int(width * scale))
    y, x = rng.integers(0, photo.shape[0] - h + 1), rng.integers(0, photo.shape[1] - w + 1)
    cut = cv2.resize(photo[y:y + h, x:x + w], (width, height), interpolation=cv2.INTER_AREA if scale > 1 else cv2.INTER_LINEAR)
    return cut[:, ::-1].copy() if rng.random() < 0.5 else cut
