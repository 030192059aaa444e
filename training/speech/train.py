"""Trains one speech net. See README.md for the recipe; every choice here was made on the validation clips."""
import numpy as np
import torch
from torch.nn import functional as F

from net import SpeechNet

WINDOW = 64            # target frames per sample: 2.56 s
BATCH = 32


def distort(mel):
    """Microphone, room level, noise floor and vocal tract of someone else."""
    n, _, bands = mel.shape
    tilt = torch.linspace(-1, 1, bands)[None, None]
    mel = mel + 0.3 * torch.randn(n, 1, 1) + 0.3 * torch.randn(n, 1, 1) * tilt
    mel = mel + F.interpolate(0.25 * torch.randn(n, 1, 6), size=bands, mode='linear')
    floor = 3.2 * torch.rand(n, 1, 1) - 4.4 + 0.3 * torch.randn(n, 1, 1) * tilt
    mel = torch.maximum(mel, floor + 0.3 * torch.randn_like(mel))
    mel = torch.roll(mel, int(np.random.randint(-2, 3)), 2)
    return (mel + 0.08 * torch.randn_like(mel)).clamp(-4, 4)


def window(mel, target, lag, rng):
    """A random stretch; the sound is shifted by the clip's lag, ends are held."""
    start = rng.randint(0, max(1, len(target) - WINDOW + 1))
    rows = np.arange(start, start + WINDOW)
    frames = np.arange(4 * (start - lag), 4 * (start - lag + WINDOW))
    valid = (rows < len(target)).astype(np.float32)
    return mel[np.clip(frames, 0, len(mel) - 1)], target[np.minimum(rows, len(target) - 1)], valid


def batches(items, size, rng):
    """items: (mel, target, lag, weight) → endless (mel, target, valid)."""
    share = np.array([len(i[1]) * i[3] for i in items], float)
    share /= share.sum()
    while True:
        rows = [window(*items[i][:3], rng) for i in rng.choice(len(items), size, p=share)]
        yield [torch.as_tensor(np.stack(column)) for column in zip(*rows)]


def correlation_loss(predicted, target, valid):
    """1 − Pearson over each sample's frames."""
    count = valid.sum(1, keepdim=True)
    a = (predicted - (predicted * valid).sum(1, keepdim=True) / count) * valid
    b = (target - (target * valid).sum(1, keepdim=True) / count) * valid
    return (1 - (a * b).sum(1) / (a.norm(dim=1) * b.norm(dim=1) + 1e-3)).mean()


def mouth_loss(predicted, target, valid, weights):
    error = (F.smooth_l1_loss(predicted, target, reduction='none', beta=0.5) * weights * valid[..., None]).mean()
    speed = ((predicted[:, 1:] - predicted[:, :-1]) - (target[:, 1:] - target[:, :-1])).abs()
    speed = (speed * weights * (valid[:, 1:] * valid[:, :-1])[..., None]).mean()
    opening = correlation_loss(predicted[..., -2], target[..., -2], valid)
    width = correlation_loss(predicted[..., -1], target[..., -1], valid)
    return error + 0.5 * speed + 0.3 * opening + 0.1 * width


def train(real, synthetic, steps, width=64, rate=2e-3, seed=0, synthetic_weight=0.5, verbose=False):
    """real: (mel, targets, lag, weight); synthetic: (mel, articulation, 0, weight) → SpeechNet in evaluation mode."""
    torch.manual_seed(seed)
    np.random.seed(seed)
    rng = np.random.RandomState(seed)
    outputs = real[0][1].shape[1]
    net = SpeechNet(outputs, width)
    net.scale = torch.as_tensor(np.concatenate([i[1] for i in real]).std(0))
    weights = torch.ones(outputs)
    weights[:4], weights[-2], weights[-1] = 1.5, 3, 1.5
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps, pct_start=0.1)
    mouths, voices = batches(real, BATCH, rng), batches(synthetic, BATCH // 2, rng)
    net.train()
    for step in range(steps):
        mel, target, valid = next(mouths)
        spoken, articulation, spoken_valid = next(voices)
        shape, logits = net(distort(torch.cat([mel, spoken])))
        loss = mouth_loss(shape[:BATCH], target / net.scale, valid, weights)
        heard = F.binary_cross_entropy_with_logits(logits[BATCH:], articulation, reduction='none') * spoken_valid[..., None]
        loss = loss + synthetic_weight * heard.mean()
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        if verbose and step % 200 == 0:
            print(step, round(float(loss), 4), flush=True)
    return net.eval()
