"""Turn a face a little in depth: rotate its 3-D points and warp the picture after them."""

import cv2
import numpy as np

STEP = 8  # pixels between the nodes at which the displacement is computed


def turn(image, points, yaw, pitch):
    """Picture and points (n, 3) of the face turned by `yaw` and `pitch` radians. The crop's border stays."""
    height, width = image.shape[:2]
    centre = points.mean(0)
    c, s, d, e = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    rotation = np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]]) @ np.array([[1, 0, 0], [0, d, -e], [0, e, d]])
    turned = (points - centre) @ rotation.T + centre
    turned[:, 2] += centre[2] - turned[:, 2].mean()
    border = np.array([(x, y) for x in (-20, width * 0.33, width * 0.67, width + 20) for y in (-20, height / 2, height + 20)])
    border = border[(border[:, 0] < 0) | (border[:, 0] > width) | (border[:, 1] < 0) | (border[:, 1] > height)]
    target = np.vstack([turned[:, :2], border])
    shift = np.vstack([points[:, :2] - turned[:, :2], np.zeros_like(border)])
    importance = np.concatenate([np.ones(len(points)), np.full(len(border), 12.0)])
    ys, xs = np.mgrid[0:height + STEP:STEP, 0:width + STEP:STEP].astype(np.float64)
    distance = (xs[..., None] - target[:, 0]) ** 2 + (ys[..., None] - target[:, 1]) ** 2
    weight = importance / (distance + 9.0) ** 1.5
    field = (weight @ shift / weight.sum(-1, keepdims=True)).astype(np.float32)
    node_y, node_x = np.mgrid[0:height, 0:width].astype(np.float32)
    dense = cv2.remap(field, node_x / STEP, node_y / STEP, cv2.INTER_LINEAR)
    warped = cv2.remap(image, node_x + dense[..., 0], node_y + dense[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return warped, turned.astype(np.float32)


def add_views(images, points, yaws, count, rng):
    """`count` turned copies of each face, never beyond about 50 degrees in all, as new arrays."""
    more_images, more_points = [], []
    for image, face, now in zip(images, points, yaws):
        for _ in range(count):
            wanted = rng.uniform(0.12, 0.5) * rng.choice([-1, 1])
            yaw = np.clip(now + wanted, -0.87, 0.87) - now
            picture, turned = turn(image, face, yaw, rng.normal(0, 0.12))
            more_images.append(picture)
            more_points.append(turned)
    return np.stack(more_images), np.stack(more_points)
