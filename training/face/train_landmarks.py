"""Train the landmark net: 159 points and presence from a 128 px crop."""

import numpy as np
import torch

from batches import face_batch
from nets import LandmarkNet, shape_model
from training import arguments, fit, load_faces

SOFT = 0.012  # crop units: errors below count squared, above linearly
WEIGHTS = torch.ones(159, 1)
WEIGHTS[:40] = 1.6  # lips place the mouth crop
WEIGHTS[85:123] = 1.4  # the stable points carry the pose
AXES = torch.tensor([1.0, 1.0, 0.4])


def point_loss(found, truth, present):
    error = torch.nn.functional.smooth_l1_loss(found.float(), truth, beta=SOFT, reduction="none")
    return (error * WEIGHTS * AXES * present[..., None]).sum() / present.sum() / 159


def loss(net, images, points, present):
    found, presence = net(images.contiguous(memory_format=torch.channels_last))
    return point_loss(found, points, present) * 100 + 0.25 * torch.nn.functional.binary_cross_entropy_with_logits(presence.float(), present)


def report(faces):
    images, points, present = face_batch(faces, 320, np.random.default_rng(5))

    def measure(net):
        found, presence = (t.float().numpy() for t in net(torch.from_numpy(images)))
        yes = present[:, 0] > 0
        unit = np.linalg.norm(points[yes, 85, :2] - points[yes, 88, :2], axis=1)  # outer eye corners
        error = np.linalg.norm((found - points)[yes][..., :2], axis=2) / unit[:, None]
        return (f"nme all {100 * error.mean():.2f} median {100 * np.median(error.mean(1)):.2f} lips {100 * error[:, :40].mean():.2f} % "
                f"z {100 * np.abs((found - points)[yes][..., 2] / unit[:, None]).mean():.2f} "
                f"missed {np.mean(presence[yes] < 0.5):.3f} wrongly present {np.mean(presence[~yes] > 0.5):.3f}")

    return measure


def main():
    options = arguments(__doc__)
    training, validation = load_faces(options)
    rng = np.random.default_rng(0)
    shapes = np.concatenate([face_batch(training, 64, rng, absent=0)[1] for _ in range(20)])
    net = LandmarkNet(*shape_model(shapes, 48), rank=48)
    print("parameters", sum(p.numel() for p in net.parameters()))
    fit(net, lambda r: face_batch(training, 64, r), loss, report(validation), options)


if __name__ == "__main__":
    main()
