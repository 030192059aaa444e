"""Finds how late each clip's picture is against its sound, by nets that never saw the clip; drops clips that are not synced."""
import numpy as np

from train import train

SEARCH = 7             # frames each way
LEAST_CORRELATION = 0.2
TRUSTED = 'data_grids1'   # studio recordings: their lag is zero by definition
STEPS, WIDTH = 400, 48


def lag_correlation(late, early):
    """(lag, r): `late` delayed by `lag` frames against `early` where they agree best."""
    scores = []
    for lag in range(-SEARCH, SEARCH + 1):
        a, b = late[max(0, lag):len(late) + min(0, lag)], early[max(0, -lag):len(early) + min(0, -lag)]
        scores.append(np.corrcoef(a, b)[0, 1])
    best = int(np.nanargmax(scores))
    return best - SEARCH, float(scores[best])


def align(clips, synthetic, seed=0):
    """Sets every clip's lag; returns the clips that an unrelated net finds synced."""
    kept = []
    for fold in (0, 1):
        seen = [c for i, c in enumerate(clips) if i % 2 != fold]
        net = train([(c.features, c.targets, 0, c.weight) for c in seen], synthetic, STEPS, WIDTH, seed=seed)
        for clip in clips[fold::2]:
            opening = net.predict(clip.features)[0][:, -2]
            count = min(len(opening), len(clip.opening))
            lag, r = lag_correlation(clip.opening[:count], opening[:count])
            clip.lag = 0 if clip.name.startswith(TRUSTED) else lag
            if r >= LEAST_CORRELATION:
                kept.append(clip)
    return kept
