"""Open mouths wider than the crops show them: move the lower face the way faces move when they open."""

import cv2
import numpy as np

STEP = 4  # pixels between the nodes at which the displacement is computed
WIDEST = 0.62  # opening in canonical units; the widest of the crops reach it


def gap(points, scale):
    """Distance of the inner lips' middles (of the 159 points) in canonical units."""
    return np.linalg.norm(points[..., 25, :2] - points[..., 35, :2], axis=-1) / scale


def opening_direction(faces, layout):
    """How the FaceMesh points (478, 3), in canonical units and pose, move per unit of opening: a straight fit."""
    shapes, gaps = [], []
    for points in faces:
        scale, rotation, shift = pose(points, layout)
        shapes.append((points - shift) @ rotation / scale)
        gaps.append(gap(points[layout.indexes], scale))
    shapes, gaps = np.array(shapes), np.array(gaps)
    gaps -= gaps.mean()
    return np.einsum("n,nij->ij", gaps, shapes - shapes.mean(0)) / (gaps**2).sum()


def pose(points, layout):
    """Scale, rotation and shift from canonical to the picture."""
    chosen = points[layout.indexes].astype(np.float64)
    scale, rotation, _ = layout.pose(chosen)
    return scale, rotation, chosen[layout.stable].mean(0) - scale * rotation @ layout.canonical[layout.stable].mean(0)


def thin_plate(anchors, values, places):
    """Values (m, 2) at `places` of the smoothest surface through `values` (n, 2) at `anchors` (n, 2)."""
    def kernel(a, b):
        squared = ((a[:, None] - b[None]) ** 2).sum(-1)
        return squared * np.log(squared + 1e-6)

    with_ones = np.hstack([np.ones((len(anchors), 1)), anchors])
    system = np.block([[kernel(anchors, anchors) + 0.05 * np.eye(len(anchors)), with_ones], [with_ones.T, np.zeros((3, 3))]])
    weights = np.linalg.solve(system, np.vstack([values, np.zeros((3, 2))]))
    return kernel(places, anchors) @ weights[:-3] + np.hstack([np.ones((len(places), 1)), places]) @ weights[-3:]


def open_wider(image, points, direction, layout, more):
    """Picture and points (478, 3) of the face with its mouth open by `more` canonical units than it is."""
    scale, rotation, _ = pose(points, layout)
    moved = points + more * scale * direction @ rotation.T
    height, width = image.shape[:2]
    edge = np.array([(x, y) for x in (0, width / 2, width) for y in (0, height / 2, height) if (x, y) != (width / 2, height / 2)])
    anchors = np.vstack([moved[:, :2], edge])
    back = np.vstack([points[:, :2] - moved[:, :2], np.zeros_like(edge)])
    ys, xs = np.mgrid[0:height + STEP:STEP, 0:width + STEP:STEP].astype(np.float64)
    # One point in two is enough, and solves eight times as fast; all of the lips are kept.
    chosen = np.unique(np.concatenate([layout.indexes, np.arange(0, len(anchors), 3), np.arange(len(points), len(anchors))]))
    field = thin_plate(anchors[chosen], back[chosen], np.stack([xs.ravel(), ys.ravel()], 1)).reshape(*xs.shape, 2).astype(np.float32)
    node_y, node_x = np.mgrid[0:height, 0:width].astype(np.float32)
    shift = cv2.remap(field, (node_x + 0.5) / STEP, (node_y + 0.5) / STEP, cv2.INTER_LINEAR)
    warped = cv2.remap(image, node_x + shift[..., 0], node_y + shift[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped, moved.astype(np.float32)


def add_wider(images, points, layout, rng, least=0.1):
    """A copy with a wider open mouth of every face whose lips are apart by `least`, and which faces these are."""
    gaps = np.array([gap(p[layout.indexes], pose(p, layout)[0]) for p in points])
    direction = opening_direction(points, layout)
    chosen = np.flatnonzero((gaps > least) & (gaps < WIDEST - 0.05))
    copies = [open_wider(images[i], points[i], direction, layout, rng.uniform(0.2, 0.8) * min(gaps[i], WIDEST - gaps[i])) for i in chosen]
    return np.stack([c[0] for c in copies]), np.stack([c[1] for c in copies]), chosen
