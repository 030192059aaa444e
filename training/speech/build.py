"""Builds the nets that ship: python build.py SHARED_TRAINING_FOLDER OUTPUT_FOLDER VECTOR_FOLDER"""
import sys
from pathlib import Path

import numpy as np
import torch

from data import FACE_POINTS, load_clips, load_synthetic, measured
from export import export
from features import normalise
from package import write_space, write_vectors
from space import ShapeSpace
from sync import align
from train import train

STEPS, WIDTH, SEEDS = 1200, 64, (0,)
CALIBRATION = {'opening_low': 0.25, 'opening_low_percentile': 8, 'opening_high': 0.45, 'opening_high_percentile': 95,
               'closure_from': 0.40, 'closure_to': 0.75}


def prepare(clips, space):
    for clip in clips:
        clip.features = normalise(clip.mel)
        clip.targets = space.targets(clip)


def main(data, output, vectors):
    torch.set_num_threads(1)
    clips = [c for c in load_clips(data) if not measured(c)]
    clear = [c for c in clips if c.tier in 'AB']
    space = ShapeSpace([c for c in clear if c.sync[0] > 0.15])
    synthetic = load_synthetic(data / 'espeak_speech.npz')
    prepare(clips, space)
    for name, chosen in (('speech_clean', clear), ('speech', clips)):
        synced = align(chosen, synthetic)
        rows = [(c.features, c.targets, c.lag, c.weight) for c in synced]
        print(name, len(synced), 'clips', round(sum(len(c.opening) for c in synced) / 1500, 1), 'minutes', flush=True)
        nets = [train(rows, synthetic, STEPS, WIDTH, seed=seed) for seed in SEEDS]
        export(nets, output / f'{name}.onnx', 'Viseme speech to mouth motion; see training/speech/MODEL_CARD.md')
    canonical = np.load(data / 'canonical_face.npy')
    write_space(output / 'shape_space', space, canonical, list(FACE_POINTS), CALIBRATION)
    write_vectors(vectors / 'speech', output / 'speech.onnx')


if __name__ == '__main__':
    main(*map(Path, sys.argv[1:4]))
