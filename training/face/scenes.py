"""Training frames for the detector: faces of many sizes pasted over pictures without faces."""

import cv2
import numpy as np

from backgrounds import drawn, erase_face, piece
from batches import crop_matrix
from occluders import occlude, skin_colour
from photometry import degrade, light_and_noise

SHAPES = [(288, 512), (288, 512), (512, 288), (192, 320), (192, 320), (320, 320), (320, 192)]  # height, width
SMALLEST, LARGEST = 11, 330  # pixels, long side of a face's box


def face_size(height, width, rng):
    """Long side of a face: even in the logarithm, favouring what the product meets."""
    largest = min(LARGEST, 1.05 * min(height, width))
    return np.exp(rng.uniform(np.log(SMALLEST), np.log(largest))) if rng.random() < 0.6 else rng.uniform(36, largest)


def paste_mask(points, crop, rng):
    """Where a pasted crop of `crop` pixels shows: a head-shaped blob, a soft or a hard rectangle, or an ellipse."""
    kind = rng.integers(0, 4)
    mask = np.zeros((crop, crop), np.uint8)
    if kind == 0:
        hull = cv2.convexHull(points[:, :2].astype(np.float32))[:, 0]
        grown = (hull - hull.mean(0)) * rng.uniform(1.1, 1.5) + hull.mean(0) - [0, crop * rng.uniform(0, 0.06)]
        cv2.fillPoly(mask, [grown.astype(np.int32)], 255)
        cv2.rectangle(mask, (int(crop * 0.3), int(crop * 0.75)), (int(crop * 0.7), crop), 255, -1)
    elif kind == 1:
        cv2.ellipse(mask, (crop // 2, int(crop * 0.48)), (int(crop * rng.uniform(0.3, 0.46)), int(crop * 0.46)), 0, 0, 360, 255, -1)
    else:
        margin = int(rng.uniform(0, 0.14) * crop)
        cv2.rectangle(mask, (margin, margin), (crop - 1 - margin, crop - 1 - (margin if rng.random() < 0.5 else 0)), 255, -1)
    return mask if kind == 3 else cv2.GaussianBlur(mask, (0, 0), rng.uniform(1, 7))


def blend(canvas, image, mask, matrix):
    """Warp picture and mask into the float canvas, touching only the pixels they cover."""
    size = image.shape[1]
    corners = np.array([(0, 0), (size, 0), (0, size), (size, size)]) @ matrix[:, :2].T + matrix[:, 2]
    low = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    high = np.minimum(np.ceil(corners.max(0)).astype(int), canvas.shape[1::-1])
    if (high <= low).any():
        return
    local = np.hstack([matrix[:, :2], (matrix[:, 2] - low)[:, None]])
    layer = cv2.warpAffine(image, local, tuple(int(v) for v in high - low), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    shown = cv2.warpAffine(mask, local, tuple(int(v) for v in high - low), flags=cv2.INTER_LINEAR).astype(np.float32)[..., None] / 255
    part = canvas[low[1]:high[1], low[0]:high[0]]
    part += (layer - part) * shown


def paste(canvas, faces, size, centre, rng, with_face=True):
    """Blend a random face (or a head without one) of `size` pixels into the canvas; returns its box or None."""
    i = faces.draw(rng)
    image, points = faces.images[i], faces.points[i]
    if not with_face:
        image = erase_face(image, points, rng) if rng.random() < 0.7 else piece(faces.photos, *image.shape[:2], rng)
    elif rng.random() < 0.22:
        spot = points[rng.integers(0, 159), :2] + rng.normal(0, 10, 2)
        reach = np.ptp(points[:, 1]) * rng.uniform(0.4, 1.2)
        image, _ = occlude(image, spot, reach, skin_colour(image, points, rng), faces, rng)
    image = degrade(image, rng) if rng.random() < 0.6 else image
    box = np.ptp(points[:, :2], axis=0)
    scale = size / box.max()
    if scale < 0.6:  # shrink without aliasing
        image = cv2.GaussianBlur(image, (0, 0), 0.35 / scale)
    roll = rng.normal(0, 0.2) if rng.random() < 0.8 else rng.uniform(-0.8, 0.8)
    middle = (points[:, :2].min(0) + points[:, :2].max(0)) / 2
    matrix = crop_matrix(middle, image.shape[1] / scale, roll, image.shape[1])
    matrix[:, 2] += np.asarray(centre) - image.shape[1] / 2
    if rng.random() < 0.5:  # mirror around the face's middle
        matrix = matrix @ np.array([[-1, 0, 2 * middle[0]], [0, 1, 0], [0, 0, 1.0]])
    blend(canvas, image, paste_mask(points, image.shape[1], rng), matrix)
    if not with_face:
        return None
    placed = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    low, high = placed.min(0), placed.max(0)
    return [*(low + high) / 2, *(high - low)]


def background(height, width, faces, rng):
    kind = rng.random()
    if kind < 0.5:
        return piece(faces.photos, height, width, rng)
    if kind < 0.7:
        return drawn(height, width, rng, faces.tones)
    if kind < 0.82:  # shoulders, hair and walls around a wiped-out face, far too large to be one
        i = faces.draw(rng)
        wiped = erase_face(faces.images[i], faces.points[i], rng)
        return cv2.GaussianBlur(cv2.resize(wiped, (width, height), interpolation=cv2.INTER_CUBIC), (0, 0), rng.uniform(0.5, 5))
    if kind < 0.92:  # a mosaic of small pieces
        tile = int(rng.choice([32, 48, 64, 96]))
        rows = [np.hstack([piece(faces.photos, tile, tile, rng) for _ in range(-(-width // tile))]) for _ in range(-(-height // tile))]
        return np.ascontiguousarray(np.vstack(rows)[:height, :width])
    return np.full((height, width, 3), rng.uniform(0, 255, 3), np.uint8)


def overlap(box, others):
    """Whether the box (centre x, y, w, h), grown, touches another."""
    return any(abs(box[0] - o[0]) < 0.75 * (box[2] + o[2]) and abs(box[1] - o[1]) < 0.75 * (box[3] + o[3]) for o in others)


def scene(height, width, faces, rng):
    """One frame (uint8 RGB) and the boxes (n, 4) of its faces: centre x, centre y, w, h."""
    canvas = background(height, width, faces, rng).astype(np.float32)
    boxes, taken = [], []
    count = rng.choice([0, 1, 2, 3, 5, 8], p=[0.2, 0.35, 0.17, 0.12, 0.1, 0.06])
    fakes = rng.choice([0, 1, 2, 4], p=[0.4, 0.25, 0.2, 0.15])
    sizes = np.sort([face_size(height, width, rng) for _ in range(count + fakes)])[::-1]  # small ones last, on top
    kinds = rng.permutation(count + fakes) < count
    for size, with_face in zip(sizes, kinds):
        centre = rng.uniform(0, width), rng.uniform(0, height)
        margin = size * 0.3  # at most a fifth of a face is cut off
        centre = [np.clip(centre[0], margin, max(margin, width - margin)), np.clip(centre[1], margin, max(margin, height - margin))]
        spot = (*centre, size, size)
        if overlap(spot, taken):
            continue
        taken.append(spot)
        box = paste(canvas, faces, size, centre, rng, with_face=with_face)
        if box is not None:
            boxes.append(box)
    picture = np.clip(canvas, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:  # a loose hand or microphone, far from every face
        centre, reach = rng.uniform(0, 1, 2) * (width, height), rng.uniform(20, 160)
        if not overlap((*centre, reach, reach), taken):
            picture, _ = occlude(picture, centre, reach, faces.images[faces.draw(rng)][88, 88].astype(np.float32), faces, rng)
    return (degrade(picture, rng) if rng.random() < 0.5 else picture), np.array(boxes, np.float32).reshape(-1, 4)


def scene_batch(faces, rng, pixels=900_000):
    """A batch of equal shape holding about `pixels`: images (n, 3, h, w) in -1..1, boxes (n, 8, 4), their number (n,)."""
    height, width = SHAPES[rng.integers(len(SHAPES))]
    n = pixels // (height * width)
    pictures = np.empty((n, height, width, 3), np.float32)
    boxes, counts = np.zeros((n, 8, 4), np.float32), np.zeros(n, np.int64)
    for k in range(n):
        pictures[k], found = scene(height, width, faces, rng)
        boxes[k, :len(found)], counts[k] = found, len(found)
    light_and_noise(pictures, rng)
    return (pictures / 127.5 - 1).transpose(0, 3, 1, 2), boxes, counts
