"""Train the mouth net: 40 lip points and visibility from a 64 px crop. The gap between the lips counts most."""

import numpy as np
import torch

from batches import mouth_batch
from nets import MouthNet, shape_model
from training import arguments, fit, load_faces

SOFT = 0.012
UPPER, LOWER = slice(21, 30), slice(31, 40)  # the inner lips, corner to corner, without the corners


def gaps(points):
    """Inner-lip openings (n, 9), and the widths (n, 2) of outer and inner mouth."""
    opening = (points[:, LOWER] - points[:, UPPER])[..., 1]
    width = torch.stack([points[:, 10, 0] - points[:, 0, 0], points[:, 30, 0] - points[:, 20, 0]], 1)
    return opening, width


def loss(net, images, lips, visible):
    found, seen = net(images)
    found, seen = found.float(), seen.float()
    count = torch.where(visible == 0, 0.25, 1.0)  # a guess behind a hand should not cost much
    error = torch.nn.functional.smooth_l1_loss(found, lips, beta=SOFT, reduction="none")
    value = (error.mean((1, 2)) * count[:, 0]).mean()
    for guess, truth in zip(gaps(found), gaps(lips)):
        gap = torch.nn.functional.smooth_l1_loss(guess, truth, beta=SOFT, reduction="none")
        value = value + 0.8 * (gap.mean(1) * count[:, 0]).mean()
    known = ~torch.isnan(visible)
    return value * 100 + 0.3 * torch.nn.functional.binary_cross_entropy_with_logits(seen[known], visible[known])


def report(faces):
    images, lips, _ = mouth_batch(faces, 400, np.random.default_rng(5), noise=0.6, training=False)
    covered = mouth_batch(faces, 600, np.random.default_rng(6))

    def measure(net):
        found = net(torch.from_numpy(images))[0].float().numpy()
        unit = 0.8 * 1.44  # outer eye corners' distance in crop units
        error = np.linalg.norm(found - lips, axis=2) / unit
        opening = [gaps(torch.from_numpy(a))[0][:, 3:6].mean(1).numpy() for a in (found, lips)]
        seen = net(torch.from_numpy(covered[0]))[1].float().numpy()
        return (f"lips {100 * error.mean():.2f} % median {100 * np.median(error.mean(1)):.2f} opening r {np.corrcoef(*opening)[0, 1]:.3f} "
                f"off by {100 * np.abs(opening[0] - opening[1]).mean() / unit:.2f} % "
                f"covered taken as seen {np.mean(seen[covered[2] == 0] > 0.5):.3f} seen as covered {np.mean(seen[covered[2] == 1] < 0.5):.3f}")

    return measure


def main():
    options = arguments(__doc__)
    training, validation = load_faces(options)
    rng = np.random.default_rng(0)
    shapes = np.concatenate([mouth_batch(training, 64, rng)[1] for _ in range(20)])
    net = MouthNet(*shape_model(shapes, 40), rank=40)
    print("parameters", sum(p.numel() for p in net.parameters()))
    fit(net, lambda r: mouth_batch(training, 96, r), loss, report(validation), options)


if __name__ == "__main__":
    main()
