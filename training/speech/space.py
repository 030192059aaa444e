"""The mouth-shape space: how 85 canonical points move away from a speaker's closed mouth, per unit of his p95 opening."""
import numpy as np

from data import INNER_LOWER, INNER_UPPER, LIPS

COMPONENTS = 12


def neutral(clip):
    """(mean shape, width) of the frames where the mouth is shut, or as near to it as the clip comes."""
    shut = clip.opening <= max(np.percentile(clip.opening, 15), min(0.02, clip.peak * 0.15))
    return clip.shape[shut].mean(0), float(clip.width[shut].mean())


def deviations(clip):
    """(n, 85, 3) motion away from the neutral mouth in units of the clip's p95 opening."""
    shape, _ = neutral(clip)
    return (clip.shape - shape) / clip.peak


class ShapeSpace:
    """PCA basis (K, 85, 3), unit-free: deviation = coefficients · basis; `project` is its weighted inverse."""

    def __init__(self, clips):
        weights = np.ones((85, 3), np.float32)
        weights[:LIPS] *= 1.6      # lips matter most
        weights[:, 2] *= 0.5       # depth is the least certain
        weights = weights.reshape(-1)
        rows = np.concatenate([deviations(c).reshape(-1, 255)[::2] for c in clips])
        rows = rows[np.random.RandomState(0).permutation(len(rows))[:12000]]
        _, spread, axes = np.linalg.svd(rows * weights, full_matrices=False)
        self.basis = (axes[:COMPONENTS] / weights).astype(np.float32)
        self.project = (axes[:COMPONENTS] * weights).astype(np.float32)
        self.explained = (spread ** 2 / (spread ** 2).sum())[:COMPONENTS]
        gap = np.concatenate([c.opening / c.peak for c in clips])[:, None]
        motion = np.concatenate([deviations(c).reshape(-1, 255) for c in clips])
        # slope of the motion on the opening, taken about the shut mouth, then scaled to one unit of inner-lip gap
        self.opening_direction = ((gap * motion).sum(0) / (gap ** 2).sum()).reshape(85, 3).astype(np.float32)
        self.neutral = np.mean([neutral(c)[0] for c in clips], 0).astype(np.float32)

    def targets(self, clip):
        """(n, K + 2): coefficients, opening, width away from neutral; all in units of the clip's p95 opening."""
        _, width = neutral(clip)
        coefficients = deviations(clip).reshape(-1, 255) @ self.project.T
        return np.concatenate([coefficients, clip.opening[:, None] / clip.peak, (clip.width[:, None] - width) / clip.peak], 1).astype(np.float32)

    def inner_gap(self, motion):
        """Opening carried by a motion (…, 85, 3): lower minus upper inner lip, vertically."""
        return motion[..., INNER_LOWER, 1] - motion[..., INNER_UPPER, 1]
