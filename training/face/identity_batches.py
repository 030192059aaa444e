"""Augmented batches for the embedder: one face under many lights, cameras and backgrounds, aligned as the Rust side does."""

import pathlib

import cv2
import numpy as np

from backgrounds import drawn, piece
from crops import similarity
from occluders import occlude, skin_colour
from photometry import degrade, light_and_noise

SIDE = 112
# InsightFace's places (`arcface_dst`) of the eyes, the tip of the nose and the corners of the mouth, pixel centres at integers.
TEMPLATE = np.array([[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]])
FIVE = [(33, 133), (362, 263), (1, 1), (61, 61), (291, 291)]  # FaceMesh points of which each is the middle (`five_points.rs`)
DARKEST = 30  # grey levels: darker faces are lit until they show something
RENDERED_SHARE = 0.35  # how often a rendered head is drawn, over a person of whom there are photographs


def five_points(points):
    """(5, 2) of FaceMesh points (478, 2+)."""
    return np.array([(points[a, :2] + points[b, :2]) / 2 for a, b in FIVE], np.float64)


def alignment(five):
    """Affine (2, 3) that takes five points, pixel centres at integers, to the template."""
    scale, rotation, shift = similarity(five, TEMPLATE)
    return np.hstack([scale * rotation, shift[:, None]])


class People:
    """Pictures, their points, whose they are; `photos` and `hands` are what is held before them and put behind them."""

    def __init__(self, folder, start, things):
        load = lambda name: np.load(pathlib.Path(folder) / f"{start}_{name}.npy", mmap_mode="r" if name == "images" else None)
        self.images, self.points, self.person, self.rendered = (load(n) for n in ("images", "points", "person", "rendered"))
        things = pathlib.Path(things)
        self.photos = [cv2.imread(str(path))[..., ::-1] for path in sorted(things.glob("photo*.jpg"))]
        self.hands = [cv2.cvtColor(cv2.imread(str(path), -1), cv2.COLOR_BGRA2RGBA) for path in sorted(things.glob("hand_*.png"))]
        self.count = int(self.person.max()) + 1
        self.of = [np.flatnonzero(self.person == k) for k in range(self.count)]
        chance = np.array([len(of) ** 0.25 * (RENDERED_SHARE if self.rendered[of[0]] else 1) for of in self.of])
        self.chance = np.cumsum(chance / chance.sum())

    def draw(self, rng):
        who = min(int(np.searchsorted(self.chance, rng.random())), self.count - 1)
        return self.of[who][rng.integers(len(self.of[who]))], who


def other_background(image, points, people, rng):
    """The face alone, something else around it: neither hair nor room says who it is."""
    hull = cv2.convexHull(points.astype(np.float32))[:, 0]
    middle = hull.mean(0)
    hull = (hull - middle) * rng.uniform(1.02, 1.3) + middle
    mask = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(mask, np.round(hull).astype(np.int32), 255)
    mask = cv2.GaussianBlur(mask, (0, 0), rng.uniform(0.7, 3))[..., None] / np.float32(255)
    behind = piece(people.photos, SIDE, SIDE, rng) if rng.random() < 0.6 else drawn(SIDE, SIDE, rng)
    return (image * mask + behind * (1 - mask)).astype(np.uint8)


def cover(image, points, five, people, rng):
    """Something held before the mouth, or before another part of the face."""
    spot = (five[3:].mean(0) if rng.random() < 0.6 else five[rng.integers(5)]) + rng.normal(0, 8, 2)
    reach = np.linalg.norm(five[1] - five[0]) * rng.uniform(0.5, 1.8)
    return occlude(image, spot, reach, skin_colour(image, points, rng), people, rng)[0]


def wear_glasses(image, five, rng):
    """Spectacles drawn before the eyes: people put them on and off."""
    apart = np.linalg.norm(five[1] - five[0])
    wide, high = apart * rng.uniform(0.3, 0.44), apart * rng.uniform(0.2, 0.42)
    roll = np.degrees(np.arctan2(*(five[1] - five[0])[::-1]))
    eyes = [tuple(float(v) for v in eye + [0, apart * rng.uniform(-0.02, 0.1)]) for eye in five[:2]]
    colour = tuple(float(v) for v in (np.full(3, rng.uniform(0, 60)) if rng.random() < 0.7 else rng.uniform(0, 255, 3)))
    lenses, rims, thick = image.copy(), image.copy(), int(rng.integers(1, 5))
    is_round, tint = rng.random() < 0.6 or wide < high, colour if rng.random() < 0.5 else (230.0, 235.0, 240.0)
    for eye in eyes:
        if is_round:
            shape = cv2.ellipse2Poly(tuple(int(v) for v in eye), (int(wide), int(high)), int(roll), 0, 360, 15)
        else:
            shape = cv2.boxPoints((eye, (2 * wide, 2 * high), roll)).astype(np.int32)
        cv2.fillPoly(lenses, [shape], tint)
        cv2.polylines(rims, [shape], True, colour, thick, cv2.LINE_AA)
    along = (five[1] - five[0]) / apart
    bridge = [(np.array(eyes[0]) + along * wide), (np.array(eyes[1]) - along * wide)]
    cv2.line(rims, *(tuple(int(v) for v in end) for end in bridge), colour, thick, cv2.LINE_AA)
    dark = rng.uniform(0.5, 0.95) if rng.random() < 0.15 else rng.uniform(0, 0.25)
    glass = cv2.addWeighted(lenses, dark, image, 1 - dark, 0)
    return np.where(rims != image, rims, glass)


def recolour(image, rng):
    """Another colour cast, saturation and gamma: those that the crops of one clip share must not name it."""
    gray = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    colourful = float(np.clip(rng.normal(0.9, 0.4), 0, 1.8))
    image = cv2.addWeighted(image, colourful, gray, 1 - colourful, 0)
    levels = np.clip(np.linspace(0, 1, 256)[:, None] * np.exp(rng.normal(0, 0.16, 3)), 0, 1) ** np.exp(rng.normal(0, 0.15))
    return cv2.LUT(image, (levels * 255).astype(np.uint8)[None])


def misaligned(five, rng):
    """Alignment (2, 3) as it errs: points, rotation, size, place, and now and then the proportions."""
    noise = 0.05 if rng.random() < 0.8 else 0.1
    matrix = alignment(five + rng.normal(0, 0.6 * noise * np.linalg.norm(five[1] - five[0]), five.shape))
    angle, zoom = rng.normal(0, noise), np.exp(rng.normal(0, noise))
    c, s = zoom * np.cos(angle), zoom * np.sin(angle)
    turn, middle = np.array([[c, -s], [s, c]]), np.full(2, (SIDE - 1) / 2)
    if rng.random() < 0.3:
        turn = np.diag([np.exp(rng.normal(0, 0.04)), 1.0]) @ turn
    return np.hstack([turn @ matrix[:, :2], (turn @ (matrix[:, 2] - middle) + middle + rng.normal(0, 30 * noise, 2))[:, None]])


def sample(people, rng):
    """An aligned, augmented face (112, 112, 3) and whose it is."""
    i, who = people.draw(rng)
    image, points = np.asarray(people.images[i]), people.points[i]
    matrix = misaligned(five_points(points) - 0.5, rng)
    border = cv2.BORDER_CONSTANT if rng.random() < 0.6 else cv2.BORDER_REPLICATE
    image = cv2.warpAffine(image, matrix, (SIDE, SIDE), flags=cv2.INTER_LINEAR, borderMode=border)
    points = (points[:, :2] - 0.5) @ matrix[:, :2].T + matrix[:, 2]
    if rng.random() < 0.4:
        image = other_background(image, points, people, rng)
    if rng.random() < 0.12:
        image = wear_glasses(image, five_points(points), rng)
    if rng.random() < 0.25:
        image = cover(image, points, five_points(points), people, rng)
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
    if rng.random() < 0.7:
        image = recolour(image, rng)
    image = degrade(image, rng)
    brightness = float(image[28:84, 28:84].mean())
    if brightness < DARKEST:
        image = cv2.convertScaleAbs(image, alpha=DARKEST / max(brightness, 1.0))
    return image, who


def normalised(pictures):
    """(n, 112, 112, 3) of 0..255 as the net takes them."""
    return np.ascontiguousarray((pictures.astype(np.float32) / 127.5 - 1).transpose(0, 3, 1, 2))


def batch(people, size, rng):
    """Images (n, 3, 112, 112) in -1..1 and the numbers of the persons (n,)."""
    pictures, whose = np.empty((size, SIDE, SIDE, 3), np.float32), np.empty(size, np.int64)
    for k in range(size):
        pictures[k], whose[k] = sample(people, rng)
    light_and_noise(pictures, rng)
    return normalised(pictures), whose


def plain(people):
    """Every picture aligned and otherwise as it is."""
    aligned = [cv2.warpAffine(np.asarray(image), alignment(five_points(points) - 0.5), (SIDE, SIDE)) for image, points in zip(people.images, people.points)]
    return normalised(np.stack(aligned))
