"""Trains one speech net. See README.md for the recipe; every choice here was made on the validation clips."""
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from net import ARTICULATION, SpeechNet

WINDOW = 64            # target frames per sample: 2.56 s
BATCH = 40


@dataclass
class Item:
    """Sound with what is known of its mouth: `mouth` (n, K + 2) or `articulation` (n, 5) may be missing."""
    mel: np.ndarray                        # normalised, 4 rows per target row
    mouth: np.ndarray | None = None
    articulation: np.ndarray | None = None
    lag: int = 0                           # mel frames by which the picture is late
    share: float = 1.0                     # how often it is drawn, per second of it
    trust: float = 1.0                     # weight of its mouth loss

    def __len__(self):
        return len(self.articulation if self.mouth is None else self.mouth)


def distort(mel):
    """Microphone, room level, noise floor, band limit and vocal tract of someone else."""
    n, _, bands = mel.shape
    tilt = torch.linspace(-1, 1, bands)[None, None]
    mel = mel + 0.3 * torch.randn(n, 1, 1) + 0.3 * torch.randn(n, 1, 1) * tilt
    mel = mel + F.interpolate(0.25 * torch.randn(n, 1, 6), size=bands, mode='linear')
    mel = warp_bands(mel, np.random.uniform(0.92, 1.08), np.random.uniform(-1.5, 1.5))
    floor = 3.2 * torch.rand(n, 1, 1) - 4.4 + 0.3 * torch.randn(n, 1, 1) * tilt
    limited = (torch.rand(n, 1, 1) < 0.2) & (torch.arange(bands)[None, None] > torch.randint(24, bands, (n, 1, 1)))
    mel = torch.maximum(mel.masked_fill(limited, -4), floor + 0.3 * torch.randn_like(mel))
    return (mel + 0.08 * torch.randn_like(mel)).clamp(-4, 4)


def warp_bands(mel, stretch, shift):
    """Formants moved up or down: every band read at `stretch` times itself plus `shift`."""
    bands = mel.shape[2]
    at = (torch.arange(bands) * stretch + shift).clamp(0, bands - 1.001)
    lower = at.long()
    part = (at - lower).to(mel.dtype)
    return mel[..., lower] * (1 - part) + mel[..., lower + 1] * part


def window(item, outputs, rng):
    """A random stretch, spoken up to a fifth faster or slower: sound, mouth, articulation (unknown: 0), valid, trust of the mouth, articulation known."""
    pace = rng.uniform(0.83, 1.2) if rng.random_sample() < 0.7 else 1.0
    start = rng.randint(0, max(1, len(item) - int(WINDOW * pace) + 1))
    rows = start + np.arange(WINDOW) * pace
    frames = np.round(4 * start - item.lag + np.arange(4 * WINDOW) * pace).astype(int)
    mouth = np.zeros((WINDOW, outputs), np.float32) if item.mouth is None else between(item.mouth, rows)
    articulation = np.zeros((WINDOW, ARTICULATION), np.float32) if item.articulation is None else between(item.articulation, rows)
    return (item.mel[np.clip(frames, 0, len(item.mel) - 1)], mouth, articulation, (rows < len(item)).astype(np.float32),
            np.float32(0 if item.mouth is None else item.trust), np.float32(item.articulation is not None))


def between(curve, rows):
    """Rows at fractional times, ends held."""
    rows = np.clip(rows, 0, len(curve) - 1)
    lower = rows.astype(int)
    part = (rows - lower).astype(np.float32)[:, None]
    return curve[lower] * (1 - part) + curve[np.minimum(lower + 1, len(curve) - 1)] * part


def batches(items, outputs, size, rng):
    share = np.array([len(i) * i.share for i in items], float)
    share /= share.sum()
    while True:
        rows = [window(items[i], outputs, rng) for i in rng.choice(len(items), size, p=share)]
        yield [torch.as_tensor(np.stack(column)) for column in zip(*rows)]


def correlation_loss(predicted, target, valid):
    """1 − Pearson over each sample's frames, (batch,)."""
    count = valid.sum(1, keepdim=True)
    a = (predicted - (predicted * valid).sum(1, keepdim=True) / count) * valid
    b = (target - (target * valid).sum(1, keepdim=True) / count) * valid
    return 1 - (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-3)


def mouth_loss(predicted, target, valid, trust, weights):
    """Position, speed and correlation; every sample counts by its trust."""
    mask = valid[..., None] * trust[:, None, None] * weights
    error = (F.smooth_l1_loss(predicted, target, reduction='none', beta=0.5) * mask).mean()
    speed = (((predicted[:, 1:] - predicted[:, :-1]) - (target[:, 1:] - target[:, :-1])).abs() * mask[:, 1:]).mean()
    agreement = 0.3 * correlation_loss(predicted[..., -2], target[..., -2], valid) + 0.1 * correlation_loss(predicted[..., -1], target[..., -1], valid)
    return error + 0.5 * speed + (agreement * trust).mean()


def train(items, steps, width=64, rate=2e-3, seed=0, articulation_weight=0.3, verbose=False):
    """Items → SpeechNet in evaluation mode."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    rng = np.random.RandomState(seed)
    real = [i for i in items if i.mouth is not None and i.trust == 1]
    outputs = real[0].mouth.shape[1]
    net = SpeechNet(outputs, width)
    net.scale = torch.as_tensor(np.concatenate([i.mouth for i in real]).std(0))
    weights = torch.ones(outputs)
    weights[:4], weights[-2], weights[-1] = 1.5, 3, 1.5
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    source = batches(items, outputs, BATCH, rng)
    net.train()
    for step in range(steps):
        mel, mouth, articulation, valid, trust, heard = next(source)
        with torch.autocast('cpu', torch.bfloat16):
            shape, logits = (output.float() for output in net(distort(mel)))
        loss = mouth_loss(shape, mouth / net.scale, valid, trust, weights)
        spoken = F.binary_cross_entropy_with_logits(logits, articulation.clamp(0, 1), reduction='none').mean(2) * valid * heard[:, None]
        loss = loss + articulation_weight * spoken.mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if verbose and step % 200 == 0:
            print(step, round(loss.item(), 4), flush=True)
    return net.eval()
