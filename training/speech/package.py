"""Files beside the nets that the Rust engine reads: the shape space, its calibration, and vectors that check the features."""
import json
import subprocess
from pathlib import Path

import numpy as np
import onnxruntime

from features import SAMPLE_RATE, log_mel, normalise

VECTOR_TEXT = 'Bob may help five people move.'


def write_arrays(path, arrays, extra):
    """`path`.f32 holds the arrays one after the other, little-endian float32; `path`.json says where each one is."""
    path = Path(path)
    index, at = {}, 0
    with open(path.with_suffix('.f32'), 'wb') as file:
        for name, array in arrays.items():
            array = np.ascontiguousarray(array, '<f4')
            index[name] = {'offset': at, 'shape': list(array.shape)}
            at += array.size
            file.write(array.tobytes())
    path.with_suffix('.json').write_text(json.dumps({'arrays': index, **extra}, indent=1) + '\n')


def write_space(path, space, canonical, point_indexes, calibration):
    write_arrays(path, {
        'basis': space.basis.reshape(-1, 85, 3), 'neutral': space.neutral, 'opening_direction': space.opening_direction,
        'canonical': canonical[point_indexes],
    }, {'unit': 'inter-ocular distance; basis and opening_direction per unit of p95 opening', 'calibration': calibration})


def spoken(seconds=1.6):
    """A short synthetic sentence at 16 kHz, made of whole 16-bit steps."""
    command = f'espeak-ng -v en-us -s 170 --stdout "{VECTOR_TEXT}" | ffmpeg -v error -i - -ar {SAMPLE_RATE} -ac 1 -f s16le -'
    raw = subprocess.run(command, shell=True, capture_output=True, check=True).stdout
    return np.frombuffer(raw, np.int16)[:int(seconds * SAMPLE_RATE)].astype(np.float32) / 32768


def write_vectors(path, net_path):
    """Sound → log-mel → normalised → net outputs, for tests to 1e-3."""
    sound = spoken()
    mel = log_mel(sound)
    mel = mel[:len(mel) // 4 * 4]
    normal = normalise(mel)
    session = onnxruntime.InferenceSession(str(net_path), providers=['CPUExecutionProvider'])
    shape, articulation = session.run(['shape', 'articulation'], {'mel': normal[None]})
    write_arrays(path, {'sound': sound, 'log_mel': mel, 'normalised': normal, 'shape': shape[0], 'articulation': articulation[0]},
                 {'sample_rate': SAMPLE_RATE, 'made_with': f'espeak-ng -v en-us -s 170: "{VECTOR_TEXT}"'})
