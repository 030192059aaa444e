"""The four nets: small residual convolution nets without anything the Rust runtime would find exotic."""

import numpy as np
import torch
from torch import nn

POINTS = 159
LIPS = 40


class Block(nn.Module):
    """3x3 convolution, batch norm, ReLU; with `residual` a pair of them around a shortcut."""

    def __init__(self, inputs, outputs, stride=1, residual=False):
        super().__init__()
        layers = [nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)]
        if residual:
            layers += [nn.ReLU(inplace=True), nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)]
        self.residual = residual
        self.body = nn.Sequential(*layers)

    def forward(self, x):
        y = self.body(x)
        return torch.relu(x + y if self.residual else y)


def stage(inputs, outputs, blocks):
    """Halve the size, then refine with residual blocks."""
    return [Block(inputs, outputs, 2)] + [Block(outputs, outputs, residual=True) for _ in range(blocks)]


class LandmarkNet(nn.Module):
    """128x128 RGB crop -> 159 points (x, y, z) and presence. `basis` starts the last layer as a linear shape model."""

    def __init__(self, mean=None, basis=None, rank=48):
        super().__init__()
        self.features = nn.Sequential(
            *stage(3, 16, 0), *stage(16, 24, 0), *stage(24, 48, 1), *stage(48, 72, 2), *stage(72, 80, 1)
        )
        self.code = nn.Linear(80 * 16, rank)
        self.points = nn.Linear(rank, POINTS * 3)
        self.presence = nn.Sequential(nn.Linear(80 * 16, 16), nn.ReLU(inplace=True), nn.Linear(16, 1))
        nn.init.normal_(self.code.weight, std=0.01)
        nn.init.zeros_(self.code.bias)
        if mean is not None:
            self.points.bias.data = torch.as_tensor(mean, dtype=torch.float32).flatten()
            self.points.weight.data = torch.as_tensor(basis, dtype=torch.float32).T.contiguous()

    def forward(self, image):
        features = self.features(image).flatten(1)
        points = self.points(self.code(features)).reshape(-1, POINTS, 3)
        presence = self.presence(features)
        return points, presence if self.training else torch.sigmoid(presence)


class MouthNet(nn.Module):
    """64x64 normalised gray crop -> 40 lip points (x, y) and visibility."""

    def __init__(self, mean=None, basis=None, rank=40):
        super().__init__()
        self.features = nn.Sequential(
            *stage(1, 16, 0), *stage(16, 32, 1), *stage(32, 56, 1), *stage(56, 72, 1)
        )
        self.code = nn.Linear(72 * 16, rank)
        self.points = nn.Linear(rank, LIPS * 2)
        self.visible = nn.Sequential(nn.Linear(72 * 16, 12), nn.ReLU(inplace=True), nn.Linear(12, 1))
        nn.init.normal_(self.code.weight, std=0.01)
        nn.init.zeros_(self.code.bias)
        if mean is not None:
            self.points.bias.data = torch.as_tensor(mean, dtype=torch.float32).flatten()
            self.points.weight.data = torch.as_tensor(basis, dtype=torch.float32).T.contiguous()

    def forward(self, image):
        features = self.features(image).flatten(1)
        points = self.points(self.code(features)).reshape(-1, LIPS, 2)
        visible = self.visible(features)
        return points, visible if self.training else torch.sigmoid(visible)


class EmbedderNet(nn.Module):
    """112x112 RGB face, aligned by five points -> a direction of 128 numbers (its length means nothing).

    `LANDMARK_LAYERS` says which of its layers can start as which of the landmark net's.
    """

    LANDMARK_LAYERS = {0: 0, 1: 1, 2: 2, 3: 3, 5: 4, 6: 5, 7: 6}

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(*stage(3, 16, 0), *stage(16, 24, 0), *stage(24, 48, 2), *stage(48, 72, 3))
        self.wider = nn.Sequential(nn.Conv2d(72, 192, 1, bias=False), nn.BatchNorm2d(192), nn.ReLU(inplace=True))
        # One weight for every place of every channel: a face is aligned, so that a place means something.
        self.places = nn.Sequential(nn.Conv2d(192, 192, 7, groups=192, bias=False), nn.BatchNorm2d(192))
        self.direction = nn.Linear(192, 128)

    def forward(self, image):
        return self.direction(self.places(self.wider(self.features(image))).flatten(1))

    def start_from_landmarks(self, checkpoint):
        """Take the first layers of a checkpoint of the landmark net; the blocks it lacks start as doing nothing."""
        stored = torch.load(checkpoint)
        with torch.no_grad():
            for k, block in enumerate(self.features):
                if k in self.LANDMARK_LAYERS:
                    start = f"features.{self.LANDMARK_LAYERS[k]}."
                    block.load_state_dict({name.removeprefix(start): value for name, value in stored.items() if name.startswith(start)})
                else:
                    block.body[-1].weight.zero_()


STRIDES = (8, 16, 32)


class DetectorNet(nn.Module):
    """RGB frame -> one box and one score for every cell of strides 8, 16 and 32.

    A raw box is (dx, dy, log w, log h) relative to its cell's centre, in units of four strides; `decode` turns it
    into pixels. The cells' coordinates come from a running sum over ones, so any frame size works.
    """

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(Block(3, 12, 2), Block(12, 20, 2))
        self.down8 = nn.Sequential(*stage(20, 32, 1))
        self.down16 = nn.Sequential(*stage(32, 48, 1))
        self.down32 = nn.Sequential(*stage(48, 48, 1))
        self.merge16 = nn.Conv2d(48, 32, 1)
        self.merge32 = nn.Conv2d(48, 32, 1)
        self.heads = nn.ModuleList(nn.Sequential(Block(c, 24), nn.Conv2d(24, 5, 1)) for c in (32, 48, 48))
        self.lift16 = nn.Conv2d(32, 48, 1)
        for head in self.heads:
            nn.init.constant_(head[1].bias[4:], -4.6)

    def raw(self, image):
        at8 = self.down8(self.stem(image))
        at16 = self.down16(at8)
        at32 = self.down32(at16)
        coarse = self.merge16(at16) + nn.functional.interpolate(self.merge32(at32), scale_factor=2.0, mode="nearest")
        at8 = at8 + nn.functional.interpolate(coarse, scale_factor=2.0, mode="nearest")
        at16 = at16 + self.lift16(torch.relu(coarse))
        return [head(x) for head, x in zip(self.heads, (at8, at16, at32))]

    def decode(self, raw):
        boxes, scores = [], []
        for stride, level in zip(STRIDES, raw):
            ones = level[:, :1] * 0 + 1
            x = torch.cumsum(ones, 3) * stride - stride / 2 + level[:, 0:1] * (4 * stride)
            y = torch.cumsum(ones, 2) * stride - stride / 2 + level[:, 1:2] * (4 * stride)
            size = torch.exp(torch.clamp(level[:, 2:4], -4, 4)) * (4 * stride)
            boxes.append(torch.cat([x, y, size], 1).reshape(1, 4, -1))
            scores.append(level[:, 4:5].reshape(1, -1))
        return torch.cat(boxes, 2).transpose(1, 2), torch.sigmoid(torch.cat(scores, 1))

    def forward(self, image):
        return self.decode(self.raw(image))


def shape_model(shapes, rank):
    """Mean and principal directions (scaled by their deviation) of flattened shapes: the start of a points layer."""
    flat = np.asarray(shapes, np.float64).reshape(len(shapes), -1)
    mean = flat.mean(0)
    _, singular, directions = np.linalg.svd(flat - mean, full_matrices=False)
    return mean, directions[:rank] * (singular[:rank, None] / np.sqrt(len(flat)))
