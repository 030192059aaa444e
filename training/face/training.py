"""What the three trainings share: data, schedule, averaging of weights, checkpoints."""

import argparse
import pathlib
import time

import cv2
import numpy as np
import torch

from batches import Faces
from crops import Layout
from initial import start_from

HERE = pathlib.Path(__file__).parent


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--prepared", required=True, help="folder written by prepare.py")
    parser.add_argument("--canonical", required=True, help="canonical_face.npy")
    parser.add_argument("--minutes", type=float, required=True)
    parser.add_argument("--rate", type=float, default=2e-3, help="highest learning rate")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start", help="checkpoint to go on from, or an exported net (.onnx)")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


class Joined:
    """Several stacks of pictures as one."""

    def __init__(self, stacks):
        self.stacks, self.ends = stacks, np.cumsum([len(stack) for stack in stacks])

    def __len__(self):
        return int(self.ends[-1])

    def __getitem__(self, i):
        which = int(np.searchsorted(self.ends, i, side="right"))
        return self.stacks[which][i - self.ends[which]]


def load_faces(options):
    """Training and validation faces; rendered heads among the former where the folder has them (rendered.py)."""
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    folder = pathlib.Path(options.prepared)
    layout = Layout(HERE / "points.json", options.canonical)
    photos = [cv2.imread(str(path))[..., ::-1] for path in sorted(folder.glob("photo*.jpg"))]

    def load(start, hands):
        parts = [p for p in start if (folder / f"{p}images.npy").exists()]
        arrays = lambda name: [np.load(folder / f"{p}{name}.npy", mmap_mode="r") for p in parts]
        cut_outs = [cv2.cvtColor(cv2.imread(str(path), -1), cv2.COLOR_BGRA2RGBA) for path in sorted(folder.glob(hands))]
        points, weights, visible = (np.concatenate(arrays(name)) for name in ("points", "weights", "visible"))
        if not weights.any():
            weights = np.ones(len(weights))
        return Faces(Joined(arrays("images")), points, weights, visible, layout, photos, cut_outs)

    training, validation = load(("", "rendered_"), "hand_*.png"), load(("held_",), "held_hand_*.png")
    print("train", len(training.images), "validation", len(validation.images), "photos", len(photos), flush=True)
    return training, validation


class Average:
    """Exponential moving average of a net's weights and buffers."""

    def __init__(self, net, decay=0.998):
        self.decay, self.steps, self.state = decay, 0, {k: v.detach().clone() for k, v in net.state_dict().items()}

    def update(self, net):
        self.steps += 1
        keep = min(self.decay, self.steps / (self.steps + 9))
        for key, value in net.state_dict().items():
            if value.dtype.is_floating_point:
                self.state[key].lerp_(value.detach(), 1 - keep)
            else:
                self.state[key].copy_(value)


class Echo:
    """Every other step reuses a random one of the last batches: making a batch costs more than learning from it."""

    def __init__(self, batch, keep=40):
        self.batch, self.keep, self.kept = batch, keep, []

    def __call__(self, rng):
        if len(self.kept) > 4 and rng.random() < 0.5:
            return self.kept[rng.integers(len(self.kept))]
        fresh = [torch.from_numpy(np.ascontiguousarray(a)) for a in self.batch(rng)]
        if len(self.kept) == self.keep:
            self.kept.pop(0)
        self.kept.append(fresh)
        return fresh


def fit(net, batch, loss, report, options, every=120.0):
    """Train for `options.minutes` of processor time: AdamW, warm-up and cosine decay, bfloat16; saves the averaged weights."""
    rate, batch = options.rate, Echo(batch)
    torch.manual_seed(options.seed)
    rng = np.random.default_rng(options.seed + 1)
    if options.start and options.start.endswith(".onnx"):
        start_from(net, options.start, batch(rng)[0])
    elif options.start:
        net.load_state_dict(torch.load(options.start))
    net = net.to(memory_format=torch.channels_last)
    average = Average(net)
    decay = [p for p in net.parameters() if p.ndim > 1]
    plain = [p for p in net.parameters() if p.ndim <= 1]
    optimiser = torch.optim.AdamW([{"params": decay, "weight_decay": 0.02}, {"params": plain, "weight_decay": 0.0}], rate)
    # A machine that others use too pauses and slows a training: that must not cut it short.
    begin, step, shown, total = time.process_time(), 0, time.process_time(), []
    while (done := (time.process_time() - begin) / (60 * options.minutes)) < 1:
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1, (step + 1) / 100) * (0.5 * (1 + np.cos(np.pi * done)) + 0.005)
        arrays = batch(rng)
        with torch.autocast("cpu", torch.bfloat16):
            value = loss(net, *arrays)
        optimiser.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.update(net)
        total.append(float(value.detach()))
        step += 1
        if time.process_time() - shown > every:
            current = {k: v.clone() for k, v in net.state_dict().items()}
            net.load_state_dict(average.state)
            net.eval()
            with torch.no_grad():
                print(f"{step} {(time.process_time() - begin) / 60:.1f} min loss {np.mean(total):.4f} {report(net)}", flush=True)
            torch.save(average.state, options.out)
            net.load_state_dict(current)
            net.train()
            shown, total = time.process_time(), []
    torch.save(average.state, options.out)
