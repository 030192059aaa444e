"""Training data: real mouths with their sound, and synthetic speech with articulation from phone times."""
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from features import normalise

FRAMES_PER_SECOND = 25
LIPS = 40                      # the first 40 of the 85 mouth points
INNER_UPPER, INNER_LOWER = 25, 35   # FaceMesh 13 and 14 within the 85

# MediaPipe FaceMesh indexes: the 85 moving points (40 lips, 13 jaw, 12 chin, 20 cheek), then the 74 that hold the pose and the rest of the face
MOUTH_POINTS = (
    61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 146, 91, 181, 84, 17, 314, 405, 321, 375, 78, 191, 80, 81, 82, 13, 312,
    311, 310, 415, 308, 95, 88, 178, 87, 14, 317, 402, 318, 324, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365,
    397, 200, 199, 175, 18, 83, 313, 201, 421, 208, 428, 32, 262, 205, 425, 207, 427, 216, 436, 212, 432, 192, 416, 214, 434,
    202, 422, 204, 424, 43, 273, 57, 287)
FACE_POINTS = MOUTH_POINTS + (
    33, 133, 362, 263, 168, 6, 197, 195, 5, 10, 109, 338, 67, 297, 103, 332, 54, 284, 21, 251, 127, 356, 234, 454, 129, 358, 98,
    327, 1, 4, 2, 9, 8, 151, 107, 336, 70, 300, 389, 323, 361, 288, 58, 132, 93, 162, 145, 374, 159, 386, 105, 334, 50, 280,
    101, 330, 118, 347, 117, 346, 123, 352, 116, 345, 227, 447, 160, 158, 153, 144, 385, 387, 373, 380)

# People of the final measurement: none of their clips is ever trained on.
MEASURED = ('LipNet__', 'data_grid10', 'SadTalker__WDA', 'video-retalking__', 'yerfor', 'AniPortrait__pose_ref_video',
            'SyncTalk__', 'data_v_syncnet')


@dataclass
class Clip:
    """One talking person. `mouth` rows are the net's targets at 25 frames/s: K shape coefficients, opening, width."""
    name: str
    tier: str
    mel: np.ndarray
    shape: np.ndarray          # (n, 85, 3) canonical points, left and right made symmetric
    opening: np.ndarray        # inter-ocular units
    width: np.ndarray
    sync: np.ndarray
    lag: int = 0               # frames the picture is late against the sound
    weight: float = 1.0
    extra: dict = field(default_factory=dict)

    @property
    def peak(self):
        return float(np.percentile(self.opening, 95))


def tiers(folder):
    rows = [line.split('\t') for line in (folder / 'SOURCES.tsv').read_text().splitlines()[1:]]
    return {row[0]: row[1] for row in rows if len(row) > 1}


def mirror_index(points):
    """For each of the 85 points the one on the other side of the face."""
    reflected = points * np.array([-1, 1, 1])
    return np.linalg.norm(reflected[:, None] - points[None], axis=-1).argmin(1)


def load_clips(folder):
    folder = Path(folder)
    data = {k: v for k, v in np.load(folder / 'speech_mouth.npz').items()}
    mirror = mirror_index(np.load(folder / 'canonical_face.npy')[list(MOUTH_POINTS)])
    low, high = data['mel_range']
    tier = tiers(folder)
    clips = []
    for i, name in enumerate(data['clip']):
        name = str(name)
        a, b = data['off'][i:i + 2]
        ma, mb = data['mel_off'][i:i + 2]
        mel = low + data['mel_u8'][ma:mb].astype(np.float32) / 255 * (high - low)
        shape = (data['shape_mean'] + data['shape_coef'][a:b].astype(np.float32) @ data['shape_basis']).reshape(-1, 85, 3)
        shape = (shape + shape[:, mirror] * np.array([-1, 1, 1], np.float32)) / 2
        params = data['params'][a:b].astype(np.float32)
        prefix = name.split('__')[0]
        letter = next((t for p, t in tier.items() if prefix.startswith(p)), 'C')
        clip = Clip(name, letter, mel, shape, params[:, 0], params[:, 1], data['sync'][i])
        if clip.peak > 0.07 and clip.sync[2] > 28 and len(clip.opening) > 34:
            clips.append(clip)
    return clips


def measured(clip):
    return clip.name.startswith(MEASURED)


def load_synthetic(path):
    """espeak-ng speech: list of (mel normalised, articulation (n, 5) in 0..1, lag 0, weight 1)."""
    data = np.load(path)
    low, high = data['mel_range']
    items, at = [], 0
    for n in data['n']:
        mel = low + data['mel_u8'][4 * at:4 * (at + n)].astype(np.float32) / 255 * (high - low)
        items.append((normalise(mel), data['y_i8'][at:at + n].astype(np.float32) / 127, 0, 1.0))
        at += n
    return items
