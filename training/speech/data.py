"""Training data: real mouths with their sound, and synthetic speech with articulation from phone times."""
from dataclasses import dataclass
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

# People of the final measurement: none of their clips is ever trained on. GRID's s2 and s20 are measured too and never loaded.
MEASURED = ('LipNet__', 'data_grid10', 'SadTalker__WDA', 'video-retalking__', 'yerfor', 'AniPortrait__pose_ref_video',
            'SyncTalk__', 'data_v_syncnet')
VALIDATION_SPEAKERS = ('s33', 's34')          # of GRID: never trained on either
VALIDATION_SOURCES = ('lipread_', 'harlanhong', 'loopyavatar___side_1', 'loopyavatar___main_4', 'ZiqiaoPeng__ActAvatar__2',
                      'ZiqiaoPeng__OmniSync__identity_identity1', 'LatentSync', 'AniPortrait__solo', 'antgroup__ai_echomimic_v3___english_demo')


@dataclass
class Clip:
    """One talking person at 25 frames/s, with the sound at 100 frames/s."""
    name: str
    tier: str                  # A clear rights, B permissive repository, C unclear
    mel: np.ndarray            # (4 n, 40)
    shape: np.ndarray          # (n, 85, 3) canonical points, left and right made symmetric
    opening: np.ndarray        # (n,) inter-ocular units
    width: np.ndarray          # (n,)
    peak: float = 0.0          # p95 of the speaker's opening
    track: np.ndarray | None = None   # (4 n,) phones, where the sentence is known
    lag: int = 0               # mel frames by which the picture is late
    targets: np.ndarray | None = None
    features: np.ndarray | None = None

    def __post_init__(self):
        self.peak = float(np.percentile(self.opening, 95))
        self.features = normalise(self.mel)

    @property
    def speaker(self):
        """GRID's speaker, or None for other sources."""
        return self.name.split('_')[1] if self.name.startswith('grid_') else None


def tiers(folder):
    rows = [line.split('\t') for line in (folder / 'SOURCES.tsv').read_text().splitlines()[1:]]
    return {row[0]: row[1] for row in rows if len(row) > 1}


def mirror_index(points):
    """For each of the 85 points the one on the other side of the face."""
    reflected = points * np.array([-1, 1, 1])
    return np.linalg.norm(reflected[:, None] - points[None], axis=-1).argmin(1)


def symmetric(shape, mirror):
    """Sound has no left and right: the mean of the mouth and its mirror image."""
    return ((shape + shape[:, mirror] * np.array([-1, 1, 1])) / 2).astype(np.float32)


def packed_clips(folder, mirror):
    """The clips of speech_mouth.npz."""
    data = dict(np.load(folder / 'speech_mouth.npz'))
    low, high = data['mel_range']
    tier = tiers(folder)
    for i, name in enumerate(map(str, data['clip'])):
        (a, b), (mel_a, mel_b) = data['off'][i:i + 2], data['mel_off'][i:i + 2]
        if name.startswith(MEASURED) or data['sync'][i, 2] < 28:      # eyes under 28 pixels apart: too small to trust
            continue
        shape = (data['shape_mean'] + data['shape_coef'][a:b].astype(np.float32) @ data['shape_basis']).reshape(-1, 85, 3)
        params = data['params'][a:b].astype(np.float32)
        letter = next((t for prefix, t in tier.items() if name.startswith(prefix)), 'C')
        yield Clip(name.replace('data_grids1_', 'grid_s1_'), letter, low + data['mel_u8'][mel_a:mel_b].astype(np.float32) / 255 * (high - low),
                   symmetric(shape, mirror), params[:, 0], params[:, 1])


def labelled_clips(path, mirror):
    """GRID videos labelled by label.py."""
    data = np.load(path)
    for name in sorted({key.split('/')[0] for key in data.files}):
        shape = data[f'{name}/shape']
        mel = data[f'{name}/mel'][:4 * len(shape)]
        mel = np.pad(mel, ((0, 4 * len(shape) - len(mel)), (0, 0)), mode='edge')
        yield Clip(f'grid_{name}', 'A', mel, symmetric(shape, mirror), data[f'{name}/opening'], data[f'{name}/width'])


def load_clips(folder, labelled, aligned):
    """All usable clips; GRID speakers share one peak and carry their phones."""
    mirror = mirror_index(np.load(folder / 'canonical_face.npy')[list(MOUTH_POINTS)])
    clips = {}
    for clip in (*packed_clips(folder, mirror), *labelled_clips(labelled, mirror)):
        if clip.peak > 0.07 and len(clip.opening) > 34:
            clips.setdefault(clip.name, clip)
    tracks = np.load(aligned)
    for speaker in {c.speaker for c in clips.values()} - {None}:
        own = [c for c in clips.values() if c.speaker == speaker]
        peak = float(np.percentile(np.concatenate([c.opening for c in own]), 95))
        for clip in own:
            clip.peak = peak
            clip.track = tracks[clip.name[5:]] if clip.name[5:] in tracks.files else None
    return list(clips.values())


def held_out(clip):
    return clip.speaker in VALIDATION_SPEAKERS or clip.name.startswith(VALIDATION_SOURCES)


def load_spoken(path):
    """Speech made by synthesise.py, with pauses of room noise around it: [(normalised log-mel, phone track)]."""
    data, rng = dict(np.load(path)), np.random.RandomState(0)
    items, at = [], 0
    for n in data['frames']:
        mel, track = data['mel'][at:at + n].astype(np.float32), data['phones'][at:at + n]
        quiet = np.percentile(mel, 5, axis=0)
        before, after = (quiet + 0.4 * rng.randn(4 * rng.randint(1, 20), len(quiet)) for _ in range(2))
        mel = np.concatenate([before, mel, after]).astype(np.float32)
        items.append((normalise(mel), np.pad(track, (len(before), len(after)))))
        at += n
    return items
