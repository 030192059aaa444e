"""Phone tracks of GRID sentences by forced alignment: python align.py OUTPUT.npz RECORDING…  (files named speaker_sentence, as s1_bbaf2n.ogg)"""
import sys
from pathlib import Path

import numpy as np

from features import HOP, load_audio
from phones import force_align, grid_sentence, make_decoder, track


def main(output, *recordings):
    decoder, tracks = make_decoder(), {}
    for path in map(Path, recordings):
        sound = load_audio(path)
        segments = force_align(decoder, sound, grid_sentence(path.stem.split('_')[1])) if len(sound) else None
        if segments and path.stem not in tracks:
            tracks[path.stem] = track(segments, len(sound) // HOP)
    np.savez_compressed(output, **tracks)


if __name__ == '__main__':
    main(*sys.argv[1:])
