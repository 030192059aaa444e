"""What mouths do for phones: a linear filter from phone tracks to mouth targets, learnt on aligned speech, used to give synthetic voices a mouth."""
import numpy as np

from articulation import phone_context
from phones import INDEX, PHONES

RIDGE = 100.0
PAUSE = 30               # mel frames: silence this long around a moment means a mouth at rest
# phones that the aligned sentences lack speak with the mouth of a like one
LIKE = {'M': 'B', 'ER': 'AH', 'HH': 'AH', 'UH': 'UW', 'OY': 'AO', 'OW': 'AO', 'AA': 'AH', 'AE': 'EH', 'NG': 'N',
        'TH': 'D', 'DH': 'D', 'SH': 'JH', 'ZH': 'JH', 'CH': 'JH'}


def shifted(track, lag, length=None):
    """The track `lag` mel frames later, ends held, cut or held to `length`."""
    return track[np.clip(np.arange(length or len(track)) - lag, 0, len(track) - 1)]


class PhoneMouth:
    """`fit` on (track, targets, lag) rows; `__call__` gives (frames / 4, K + 2) targets for a track."""

    def __init__(self, rows, least=200):
        total = sum(np.bincount(track, minlength=len(PHONES)) for track, _, _ in rows)
        self.known = total >= least
        xx, xy = 0.0, 0.0
        for track, targets, lag in rows:
            x = self.features(shifted(track, lag))[:len(targets)]
            y = targets[:len(x)]
            xx, xy = xx + x.T @ x, xy + x.T @ y
        self.filter = np.linalg.solve(xx + RIDGE * np.eye(len(xx)), xy)

    def features(self, track):
        swap = np.arange(len(PHONES))
        for phone, like in LIKE.items():
            if not self.known[INDEX[phone]] and self.known[INDEX[like]]:
                swap[INDEX[phone]] = INDEX[like]
        x = phone_context(swap[track])
        return np.concatenate([x, np.ones((len(x), 1), np.float32)], 1)

    def __call__(self, track):
        silence = np.convolve(np.pad(track == INDEX['SIL'], PAUSE // 2, mode='edge'), np.full(PAUSE + 1, 1 / (PAUSE + 1)), 'valid')
        rest = silence[:len(track) // 4 * 4:4, None] ** 4
        return (self.features(track) @ self.filter * (1 - rest)).astype(np.float32)
