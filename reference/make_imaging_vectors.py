#!/usr/bin/env python3
"""Vectors for resampling, blurring and warping, made with OpenCV and numpy on an image that the test makes again.

    python3 reference/make_imaging_vectors.py    # needs numpy, opencv; writes crates/base/viseme-imaging/tests/vectors/
"""
import json
from pathlib import Path

import cv2
import numpy as np

TARGET = Path(__file__).parent.parent / "crates/base/viseme-imaging/tests/vectors"
WIDTH, HEIGHT = 48, 36


def image():
    """Values 0 to 255 of a linear congruential generator, row by row, as bytes."""
    state, values = 2024, []
    for _ in range(WIDTH * HEIGHT):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append(state >> 24)
    return np.array(values, np.uint8).reshape(HEIGHT, WIDTH)


def mls_similarity(p, q, v):
    """Schaefer et al. 2006, section 2.2, weights distance^-2.5, as written there, in double precision."""
    weight = (((v[:, None] - p[None]) ** 2).sum(-1) + 1e-3) ** -1.25
    total = weight.sum(1, keepdims=True)
    pc, qc = weight @ p / total, weight @ q / total
    ph, qh, u = p[None] - pc[:, None], q[None] - qc[:, None], v - pc
    mu = np.einsum("mn,mni,mni->m", weight, ph, ph)
    a = np.einsum("mn,mni,mni->m", weight, ph, qh) / mu
    b = np.einsum("mn,mn->m", weight, ph[..., 0] * qh[..., 1] - ph[..., 1] * qh[..., 0]) / mu
    return np.stack([a * u[:, 0] - b * u[:, 1], b * u[:, 0] + a * u[:, 1]], 1) + qc


def warp():
    """160 control points of which half move, on 13 by 11 nodes over a region of 500 by 420 pixels."""
    state, numbers = 7, []
    for _ in range(4 * 160):
        state = (state * 1664525 + 1013904223) % 2**32
        numbers.append((state >> 16) / 65536)
    numbers = np.array(numbers).reshape(160, 4)
    p = np.float32(numbers[:, :2] * [600, 500] + [60, 30])
    q = np.float32(p + np.where(np.arange(160)[:, None] < 80, numbers[:, 2:] * 24 - 12, 0))
    x, y = np.meshgrid(np.linspace(100, 599, 13), np.linspace(50, 469, 11))
    nodes = np.stack([x.ravel(), y.ravel()], 1)
    shift = mls_similarity(p.astype(np.float64), q.astype(np.float64), nodes) - nodes
    return {"dx": shift[:, 0], "dy": shift[:, 1]}


def bytes_in_bytes_out(picture):
    """What OpenCV does to 8 bits, in fixed point."""
    how = {"linear": cv2.INTER_LINEAR, "area": cv2.INTER_AREA, "cubic": cv2.INTER_CUBIC, "lanczos4": cv2.INTER_LANCZOS4}
    sizes = ((24, 18), (17, 11), (31, 36), (48, 12))
    arrays = {f"{name} {w}x{h}": cv2.resize(picture, (w, h), interpolation=i) for name, i in how.items() for w, h in sizes}
    arrays |= {f"gaussian {n} {s}": cv2.GaussianBlur(picture, (n, n), s) for n, s in ((3, 0), (7, 0), (21, 0), (5, 1.1))}
    for width, height in ((5, 4), (8, 3)):
        ellipse = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (width, height))
        arrays[f"dilate {width}x{height}"] = cv2.dilate(picture, ellipse, iterations=2)
        arrays[f"erode {width}x{height}"] = cv2.erode(picture, ellipse, iterations=2)
    turn = np.array([[1.1, -0.3, 4.7], [0.25, 0.9, -3.2]])
    arrays["warp"] = cv2.warpAffine(picture, turn, (40, 44), flags=cv2.INTER_LINEAR, borderValue=99)
    return {key: values.astype(int) for key, values in arrays.items()}


def save(name, arrays):
    rounded = lambda v: int(v) if isinstance(v, np.integer) else round(float(v), 4)
    rows = {key: [rounded(v) for v in np.ravel(values)] for key, values in arrays.items()}
    (TARGET / name).write_text(json.dumps(rows, separators=(",", ":")) + "\n")


def main():
    TARGET.mkdir(parents=True, exist_ok=True)
    picture = image().astype(np.float32)
    # Multiples of 1/32 pixel, to which OpenCV rounds positions, that have four decimals.
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
    shift_x, shift_y = np.float32(72 / 32), np.float32(-44 / 32)
    shifted = cv2.remap(picture, x + shift_x, y + shift_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    save("cubic.json", {"shift": [shift_x, shift_y], "values": shifted})
    save("blur.json", {
        str(sigma): cv2.GaussianBlur(picture, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE)
        for sigma in (0.8, 1.7, 4.0)
    })
    save("area.json", {
        f"{w}x{h}": cv2.resize(picture, (w, h), interpolation=cv2.INTER_AREA) for w, h in ((24, 18), (17, 11), (31, 36))
    })
    save("mls.json", warp())
    save("bytes.json", bytes_in_bytes_out(image()))


if __name__ == "__main__":
    main()
