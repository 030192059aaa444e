"""Figures of a net on real synced clips it never saw: python measure.py SHARED_FOLDER NET.onnx CLIP…

For each clip the judge's own opening and width curves (MediaPipe) are compared with what the net says for the clip's sound,
after the engine's remap, as the judge compares finished videos: an upper bound of what the renderer can reach.
"""
import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime

from features import load_audio, log_mel, normalise
from runtime import opening_curve

MAX_SECONDS, FPS = 20, 25


def compare(judge, clip, session, calibration):
    """dict of r at lag 0, r and lag at the best lag, width r, closure lift."""
    faces, _ = judge.stabilise(judge.landmarks(judge.frames(clip, FPS, MAX_SECONDS)))
    mel = normalise(log_mel(load_audio(clip)[:MAX_SECONDS * 16000]))
    shape, articulation = session.run(['shape', 'articulation'], {'mel': mel[None, :len(mel) // 4 * 4]})
    opening = opening_curve(shape[0][:, -2], articulation[0][:, 3], calibration)
    count = min(len(opening), len(faces))
    opening, width = opening[:count], shape[0][:count, -1]
    true_opening, true_width = judge.opening(faces)[:count], judge.width(faces)[:count]
    r, lag = judge.lagcorr(opening, true_opening)
    events = judge.closures(true_opening, np.percentile(true_opening, 95))
    closed = judge.closed_at(opening, [(i + lag - 1, i + lag + 1) for i in events if 1 <= i + lag < count], np.percentile(opening, 95))
    return {'r lag 0': np.corrcoef(opening, true_opening)[0, 1], 'r': r, 'lag ms': lag * 1000 / FPS,
            'width r': np.corrcoef(np.roll(width, -lag), true_width)[0, 1], 'close lift': closed['lift'], 'closures': closed['n']}


def main(shared, net, *clips):
    sys.path.insert(0, str(Path(shared) / 'judge'))
    import judge
    calibration = json.loads(Path(net).with_name('shape_space.json').read_text())['calibration']
    session = onnxruntime.InferenceSession(net, providers=['CPUExecutionProvider'])
    for clip in clips:
        row = compare(judge, clip, session, calibration)
        print(Path(clip).stem, *(f'{name} {value:.2f}' if value is not None else f'{name} –' for name, value in row.items()), sep='  ')


if __name__ == '__main__':
    main(*sys.argv[1:])
