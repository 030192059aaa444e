"""Figures of an embedder: cosines of pairs of one person and of two."""

import numpy as np


def directions(embeddings):
    return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)


def pairs(embeddings, whose):
    """Cosines of all pairs of one person, and of all pairs of two."""
    cosines = directions(embeddings) @ directions(embeddings).T
    upper = np.triu(np.ones_like(cosines, bool), 1)
    same = whose[:, None] == whose[None]
    return cosines[upper & same], cosines[upper & ~same]


def equal_error(same, other):
    """The error at the threshold where as many pairs of one are torn as pairs of two are merged, and that threshold."""
    thresholds = np.linspace(-1, 1, 2001)
    torn = np.searchsorted(np.sort(same), thresholds) / len(same)
    merged = 1 - np.searchsorted(np.sort(other), thresholds) / len(other)
    at = np.abs(torn - merged).argmin()
    return (torn[at] + merged[at]) / 2, thresholds[at]


def told_apart(embeddings, whose):
    """Of all pairs of people, with one picture of each as reference: how often another picture lies nearer its own."""
    cosines = directions(embeddings) @ directions(embeddings).T
    right, total = 0, 0
    for person in np.unique(whose):
        own, foreign = np.flatnonzero(whose == person), np.flatnonzero(whose != person)
        for reference in own:
            near = cosines[reference, own[own != reference]]
            strange = cosines[np.ix_(own[own != reference], foreign)]
            right += (near[:, None] > strange).sum()
            total += strange.size
    return right / max(total, 1)
