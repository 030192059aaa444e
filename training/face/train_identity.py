"""Train the embedder: faces of one person in one direction, those of others at an angle (CosFace, Wang et al. 2018)."""

import argparse

import cv2
import numpy as np
import torch
from torch import nn
from torch.nn import functional

from identity_batches import People, batch, plain
from nets import EmbedderNet
from training import fit
from verification import equal_error, pairs, told_apart

SCALE, MARGIN = 28.0, 0.32
SLOW = 300  # steps until the margin is whole
SIZE = 96  # faces in a batch


class Trainee(nn.Module):
    """The net with a direction for every person it learns from; the checkpoint holds the net alone."""

    def __init__(self, people):
        super().__init__()
        self.net, self.centres = EmbedderNet(), nn.Parameter(torch.randn(people, 128) * 0.1)
        self.steps = 0

    def forward(self, image):
        return self.net(image)


def loss(trainee, images, whose):
    found = trainee(images.contiguous(memory_format=torch.channels_last)).float()
    trainee.steps += 1
    margin = MARGIN * min(1, trainee.steps / SLOW)
    with torch.autocast("cpu", enabled=False):
        cosines = functional.normalize(found) @ functional.normalize(trainee.centres).T
        return functional.cross_entropy(SCALE * (cosines - margin * functional.one_hot(whose, cosines.shape[1])), whose)


def report(people):
    """Measures on the people held out: their pictures as they are, and augmented."""
    sets = {"plain": (plain(people), people.person), "augmented": batch(people, 600, np.random.default_rng(5))}
    heads = np.array([people.rendered[of[0]] for of in people.of])

    def measure(trainee):
        texts = []
        for name, (images, whose) in sets.items():
            found = np.concatenate([trainee(torch.from_numpy(part)).float().numpy() for part in np.array_split(images, 8)])
            for kind, chosen in (("real", ~heads[whose]), ("rendered", heads[whose])):
                same, other = pairs(found[chosen], whose[chosen])
                error, threshold = equal_error(same, other)
                apart = told_apart(found[chosen], whose[chosen])
                texts.append(f"{name} {kind}: equal error {100 * error:.1f} % at {threshold:.2f}, apart {100 * apart:.1f} %")
        return "; ".join(texts)

    return measure


def embedder_state(checkpoint):
    """The net's own weights out of a checkpoint of the training."""
    return {name.removeprefix("net."): value for name, value in torch.load(checkpoint).items() if name.startswith("net.")}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", required=True, help="folder written by prepare_identity.py")
    parser.add_argument("--things", required=True, help="folder written by prepare.py, for photos and hands")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=3e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--landmarks", help="checkpoint of the landmark net, whose first layers are the start")
    parser.add_argument("--start", help="checkpoint to go on from")
    parser.add_argument("--out", required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    training, held = (People(options.people, start, options.things) for start in ("train", "held"))
    trainee = Trainee(training.count)
    print("parameters", sum(p.numel() for p in trainee.net.parameters()), "people", training.count, "held out", held.count, flush=True)
    if options.landmarks:
        trainee.net.start_from_landmarks(options.landmarks)
    if options.start:
        trainee.net.load_state_dict(embedder_state(options.start))
        options.start, trainee.steps = None, SLOW // 2
    fit(trainee, lambda rng: batch(training, SIZE, rng), loss, report(held), options)


if __name__ == "__main__":
    main()
