"""Phone tracks → articulation curves: open, spread, round, bilabial closure, labiodental, blended by dominance."""
import numpy as np

from phones import INDEX, PHONES

# open, spread (+) or narrow (-), round, bilabial, labiodental, dominance
REST = (0.0, 0.0, 0.0, 0.0, 0.0, 0.25)
GESTURES = {
    'P B M': (0.0, 0.0, 0.05, 1, 0, 1.0), 'F V': (0.12, 0.05, 0, 0, 1, 0.85),
    'AA': (0.95, 0.05, 0, 0, 0, 0.8), 'AE': (0.85, 0.35, 0, 0, 0, 0.8), 'AH ER': (0.45, 0, 0.05, 0, 0, 0.5), 'EH': (0.6, 0.4, 0, 0, 0, 0.75),
    'IH IY Y': (0.32, 0.6, 0, 0, 0, 0.75), 'AO': (0.55, -0.5, 0.7, 0, 0, 0.85), 'UH UW': (0.25, -0.8, 1.0, 0, 0, 0.85),
    'W': (0.12, -0.9, 1.0, 0, 0, 0.9), 'R': (0.25, -0.25, 0.4, 0, 0, 0.5), 'L': (0.35, 0.1, 0, 0, 0, 0.45),
    'T D N S Z': (0.2, 0.25, 0, 0, 0, 0.45), 'SH ZH CH JH': (0.22, -0.4, 0.7, 0, 0, 0.8), 'TH DH': (0.25, 0.15, 0, 0, 0, 0.6),
    'K G NG': (0.3, 0.1, 0, 0, 0, 0.3), 'HH': (0.35, 0.2, 0, 0, 0, 0.2), 'SIL': REST,
}
DIPHTHONGS = {'AW': ('AA', 'UH'), 'AY': ('AA', 'IH'), 'EY': ('EH', 'IY'), 'OW': ('AO', 'UH'), 'OY': ('AO', 'IH')}
SINGLE = {phone: values for names, values in GESTURES.items() for phone in names.split()}


def runs(track):
    """(phone, start frame, end frame) of each stretch."""
    edges = np.flatnonzero(np.diff(track)) + 1
    for a, b in zip(np.r_[0, edges], np.r_[edges, len(track)]):
        yield PHONES[track[a]], a, b


def articulation(track):
    """(frames,) at 100/s → (frames / 4, 5) at 25/s, 0..1 (spread: -1..1)."""
    time = np.arange(len(track)) + 0.5
    total, weight = np.zeros((len(track), 5)), np.full(len(track), 1e-3)
    for phone, start, end in runs(track):
        parts = DIPHTHONGS.get(phone, (phone,))
        for k, part in enumerate(parts):
            a, b = start + (end - start) * k / len(parts), start + (end - start) * (k + 1) / len(parts)
            values = SINGLE[part]
            closing = values[3] == 1 or values[4] == 1
            distance = np.maximum(np.abs(time - (a + b) / 2 + 2) - (b - a) / 2, 0)   # the mouth leads by 20 ms
            dominance = (values[5] * np.exp(-distance / (3.5 if closing else 6.0))) ** 2
            if values[3] == 1:
                dominance *= 6 * np.clip(1 - distance / 5, 0, 1) + 0.05
            total += dominance[:, None] * np.array(values[:5])
            weight += dominance
    curve = (total / weight[:, None])[:len(track) // 4 * 4]
    return curve.reshape(-1, 4, 5).mean(1).astype(np.float32)


def phone_context(track, reach=6):
    """(frames,) → (frames / 4, (2 reach + 1) · phones): share of each phone in the 40 ms around each offset of -240..240 ms."""
    count = len(track) // 4
    hot = np.zeros((count, len(PHONES)), np.float32)
    for k in range(4):
        hot[np.arange(count), track[k:4 * count:4]] += 0.25
    padded = np.pad(hot, ((reach, reach), (0, 0)))
    padded[:reach, INDEX['SIL']] = padded[count + reach:, INDEX['SIL']] = 1
    return np.concatenate([padded[k:k + count] for k in range(2 * reach + 1)], 1)
