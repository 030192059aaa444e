"""Builds the net that ships: python build.py SHARED_TRAINING_FOLDER PREPARED_FOLDER OUTPUT_FOLDER VECTOR_FOLDER

PREPARED_FOLDER holds labelled.npz (label.py), aligned.npz (align.py), flite.npz and espeak.npz (synthesise.py).
"""
import sys
from pathlib import Path

import numpy as np
import torch

from articulation import articulation
from data import FACE_POINTS, held_out, load_clips, load_spoken
from export import export
from package import write_space, write_vectors
from phone_mouth import PhoneMouth, shifted
from runtime import CALIBRATION
from space import ShapeSpace
from sync import STUDIO_LAG, synced
from train import Item, train

FIRST_STEPS, STEPS, WIDTH = 700, 1300, 64
SEEDS = (1, 3, 4)
RIGHTS = 'AB'              # tiers whose rights are clear or permissive; 'ABC' for the set that is measured but never shipped


def real_items(clips):
    """Mouths with their sound; GRID's also with articulation. Few-clip speakers are drawn more often than s1."""
    items = []
    for clip in clips:
        known = None if clip.track is None else articulation(shifted(clip.track, clip.lag, 4 * len(clip.targets)))
        share = 1.0 if clip.speaker is None else 0.6 if clip.speaker == 's1' else 1.5
        items.append(Item(clip.features, clip.targets, known, clip.lag, share))
    return items


def synthetic_items(prepared, mouth_of):
    """Synthetic voices: phones teach articulation, and the mouth that real people make for such phones."""
    return [Item(mel, mouth_of(track), articulation(track), 0, share, 0.5)
            for name, share in (('flite', 0.6), ('espeak', 0.4)) for mel, track in load_spoken(prepared / f'{name}.npz')]


def main(folder, prepared, output, vectors):
    torch.set_num_threads(1)
    clips = [c for c in load_clips(folder, prepared / 'labelled.npz', prepared / 'aligned.npz') if not held_out(c)]
    studio = [c for c in clips if c.speaker]
    space = ShapeSpace(studio)
    for clip in clips:
        clip.targets, clip.lag = space.targets(clip), STUDIO_LAG if clip.speaker else 0
    synthetic = synthetic_items(prepared, PhoneMouth([(c.track, c.targets, c.lag) for c in studio if c.track is not None]))
    first = train(real_items(studio) + synthetic, FIRST_STEPS, WIDTH)
    chosen = [c for c in synced(clips, first) if c.tier in RIGHTS]
    print(len(chosen), 'clips', round(sum(len(c.opening) for c in chosen) / 1500, 1), 'minutes', flush=True)
    nets = [train(real_items(chosen) + synthetic, STEPS, WIDTH, seed=seed) for seed in SEEDS]
    export(nets, output / 'speech.onnx', 'Viseme speech to mouth motion; see training/speech/MODEL_CARD.md')
    write_space(output / 'shape_space', space, np.load(folder / 'canonical_face.npy'), list(FACE_POINTS), CALIBRATION)
    write_vectors(vectors / 'speech', output / 'speech.onnx')


if __name__ == '__main__':
    main(*map(Path, sys.argv[1:5]))
