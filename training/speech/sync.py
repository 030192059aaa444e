"""How late a clip's picture is against its sound, heard by a net that was trained on studio recordings only."""
import numpy as np

STUDIO_LAG = 5             # mel frames: GRID's pictures are 50 ms late against most video, whose people this net should fit
SEARCH = range(-36, 37, 2)  # mel frames
LEAST_CORRELATION = 0.3


def lag_correlation(net, clip):
    """(lag in mel frames, r): where the net's opening agrees best with the clip's."""
    rows = np.arange(4 * len(clip.opening))
    scores = []
    for lag in SEARCH:
        sound = clip.features[np.clip(rows - lag, 0, len(clip.features) - 1)]
        scores.append(np.corrcoef(net.predict(sound)[0][:, -2], clip.opening)[0, 1])
    best = int(np.nanargmax(scores))
    return SEARCH[best], float(scores[best])


def synced(clips, net):
    """Sets each clip's lag and keeps the clips that the net finds synced."""
    kept = []
    for clip in clips:
        clip.lag, r = (STUDIO_LAG, 1.0) if clip.speaker else lag_correlation(net, clip)
        if r >= LEAST_CORRELATION:
            kept.append(clip)
    return kept
