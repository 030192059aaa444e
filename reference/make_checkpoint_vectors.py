#!/usr/bin/env python3
"""Checkpoints of SyncNet v2, S3FD and LR-ASD with seeded weights, in the forms that torch writes, and what torch makes of them.

    python3 reference/make_checkpoint_vectors.py           # needs torch, numpy; writes crates/ml/viseme-models/tests/vectors/
    python3 reference/make_checkpoint_vectors.py --full DIR # full width, with the state of an optimizer; 1 GB under DIR
    python3 reference/make_checkpoint_vectors.py --lr-asd MODEL # what the real weights of LR-ASD answer: lr_asd_talkset.f32

The nets are written down after SyncNetModel.py of joonson/syncnet_python, net_s3fd.py and wav2lip.py of Rudrabha/Wav2Lip,
model/ of Junhua-Liao/LR-ASD, with channel counts as arguments so that the committed files stay small.
"""
import sys
from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

TARGET = Path(__file__).parent.parent / "crates/ml/viseme-models/tests/vectors"


class SyncNet(nn.Module):
    """Width 1 is SyncNet v2; less divides the channels."""

    def __init__(self, width=1.0, embedding=1024):
        super().__init__()
        c = lambda channels: int(channels * width)
        self.netcnnaud = nn.Sequential(
            nn.Conv2d(1, c(64), 3, padding=1), nn.BatchNorm2d(c(64)), nn.ReLU(), nn.MaxPool2d(1, 1),
            nn.Conv2d(c(64), c(192), 3, padding=1), nn.BatchNorm2d(c(192)), nn.ReLU(), nn.MaxPool2d(3, (1, 2)),
            nn.Conv2d(c(192), c(384), 3, padding=1), nn.BatchNorm2d(c(384)), nn.ReLU(),
            nn.Conv2d(c(384), c(256), 3, padding=1), nn.BatchNorm2d(c(256)), nn.ReLU(),
            nn.Conv2d(c(256), c(256), 3, padding=1), nn.BatchNorm2d(c(256)), nn.ReLU(), nn.MaxPool2d(3, 2),
            nn.Conv2d(c(256), c(512), (5, 4)), nn.BatchNorm2d(c(512)), nn.ReLU())
        self.netfcaud = self.head(c(512), embedding)
        self.netfclip = self.head(c(512), embedding)
        self.netcnnlip = nn.Sequential(
            nn.Conv3d(3, c(96), (5, 7, 7), (1, 2, 2)), nn.BatchNorm3d(c(96)), nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            nn.Conv3d(c(96), c(256), (1, 5, 5), (1, 2, 2), (0, 1, 1)), nn.BatchNorm3d(c(256)), nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
            nn.Conv3d(c(256), c(256), (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(c(256)), nn.ReLU(),
            nn.Conv3d(c(256), c(256), (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(c(256)), nn.ReLU(),
            nn.Conv3d(c(256), c(256), (1, 3, 3), padding=(0, 1, 1)), nn.BatchNorm3d(c(256)), nn.ReLU(),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2)),
            nn.Conv3d(c(256), c(512), (1, 6, 6)), nn.BatchNorm3d(c(512)), nn.ReLU())

    @staticmethod
    def head(channels, embedding):
        return nn.Sequential(nn.Linear(channels, channels), nn.BatchNorm1d(channels), nn.ReLU(),
                             nn.Linear(channels, embedding))

    def lip(self, frames):
        return self.netfclip(self.netcnnlip(frames).flatten(1))

    def audio(self, mfcc):
        return self.netfcaud(self.netcnnaud(mfcc).flatten(1))

    def forward(self, frames, mfcc):
        return self.lip(frames), self.audio(mfcc)


class L2Norm(nn.Module):
    def __init__(self, channels, scale):
        super().__init__()
        self.weight = nn.Parameter(torch.full((channels,), float(scale)))

    def forward(self, x):
        return x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10) * self.weight.view(1, -1, 1, 1)


class S3FD(nn.Module):
    """Width 1 is S3FD; less divides the channels."""

    def __init__(self, width=1.0):
        super().__init__()
        c = lambda channels: int(channels * width)
        stages = [(3, 64, 2), (64, 128, 2), (128, 256, 3), (256, 512, 3), (512, 512, 3)]
        for stage, (before, after, convs) in enumerate(stages, 1):
            for conv in range(1, convs + 1):
                inputs = c(after) if conv > 1 else before if stage == 1 else c(before)
                setattr(self, f"conv{stage}_{conv}", nn.Conv2d(inputs, c(after), 3, padding=1))
        self.fc6 = nn.Conv2d(c(512), c(1024), 3, padding=3)
        self.fc7 = nn.Conv2d(c(1024), c(1024), 1)
        self.conv6_1, self.conv6_2 = nn.Conv2d(c(1024), c(256), 1), nn.Conv2d(c(256), c(512), 3, 2, 1)
        self.conv7_1, self.conv7_2 = nn.Conv2d(c(512), c(128), 1), nn.Conv2d(c(128), c(256), 3, 2, 1)
        self.heads = ["conv3_3_norm", "conv4_3_norm", "conv5_3_norm", "fc7", "conv6_2", "conv7_2"]
        for name, channels, scale in zip(self.heads, [256, 512, 512, 1024, 512, 256], [10, 8, 5, 0, 0, 0]):
            if scale:
                setattr(self, name, L2Norm(c(channels), scale))
            setattr(self, f"{name}_mbox_conf", nn.Conv2d(c(channels), 4 if scale == 10 else 2, 3, padding=1))
            setattr(self, f"{name}_mbox_loc", nn.Conv2d(c(channels), 4, 3, padding=1))

    def forward(self, x):
        seen = []
        for stage, convs in enumerate([2, 2, 3, 3, 3], 1):
            for conv in range(1, convs + 1):
                x = F.relu(getattr(self, f"conv{stage}_{conv}")(x))
            if stage > 2:
                seen.append(getattr(self, f"conv{stage}_3_norm")(x))
            x = F.max_pool2d(x, 2, 2)
        x = F.relu(self.fc7(F.relu(self.fc6(x))))
        seen.append(x)
        for stage in (6, 7):
            x = F.relu(getattr(self, f"conv{stage}_2")(F.relu(getattr(self, f"conv{stage}_1")(x))))
            seen.append(x)
        outputs = []
        for name, x in zip(self.heads, seen):
            logits = getattr(self, f"{name}_mbox_conf")(x)
            if logits.shape[1] == 4:
                logits = torch.cat([logits[:, :3].amax(1, keepdim=True), logits[:, 3:]], 1)
            outputs += [logits, getattr(self, f"{name}_mbox_loc")(x)]
        return outputs


class SplitBlock(nn.Module):
    """Two convolutions over space or coefficients, two over time, of LR-ASD; names as there."""

    def __init__(self, inputs, outputs, ways, stride=1):
        super().__init__()
        picture = ways == ("s", "t")
        conv, norm = (nn.Conv3d, nn.BatchNorm3d) if picture else (nn.Conv2d, nn.BatchNorm2d)
        self.names = []
        for way in ways:
            for part, kernel in ((1, 5), (2, 3)):
                before = outputs if way == "t" else inputs if part == 1 else outputs // 2
                after = outputs // 2 if way != "t" and part == 1 else outputs
                along = {"s": (0, 1, 1), "m": (1, 0), "t": (1, 0, 0) if picture else (0, 1)}[way]
                size, padding = [tuple(value if a else other for a in along) for value, other in ((kernel, 1), (kernel // 2, 0))]
                steps = (1, stride, stride) if way == "s" and part == 1 else 1
                setattr(self, f"{way}_{part}", conv(before, after, size, steps, padding, bias=False))
                setattr(self, f"{way}_norm_{part}", norm(after, eps=0.001))
                self.names.append((f"{way}_{part}", f"{way}_norm_{part}"))

    def forward(self, x):
        for conv, norm in self.names:
            x = F.relu(getattr(self, norm)(getattr(self, conv)(x)))
        return x


class Fusion(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.attention, self.bn = nn.Conv1d(channels, channels, 1, bias=False), nn.BatchNorm1d(channels, eps=0.001)

    def forward(self, x):  # [1, channels, time]
        return x * torch.sigmoid(self.bn(self.attention(x)))


class LrAsd(nn.Module):
    """Width 1 is LR-ASD; less divides the channels. `face` [frames, 112, 112], `mfcc` [4 frames, 13]."""

    def __init__(self, width=1.0):
        super().__init__()
        channels = [int(c * width) for c in (32, 64, 128)]
        last = channels[-1]
        blocks = lambda ways: nn.ModuleDict({
            f"block{i + 1}": SplitBlock(([1] + channels)[i], channels[i], ways, 2 if i == 0 else 1) for i in range(3)})
        self.model = nn.ModuleDict({
            "visualEncoder": blocks(("s", "t")), "audioEncoder": blocks(("m", "t")), "fusion": Fusion(2 * last),
            "detector": nn.ModuleDict({"gru_forward": nn.GRU(2 * last, last // 2, batch_first=True),
                                       "gru_backward": nn.GRU(2 * last, last // 2, batch_first=True), "attention": Fusion(last)})})
        self.lossAV, self.lossV = nn.ModuleDict({"FC": nn.Linear(last, 2)}), nn.ModuleDict({"FC": nn.Linear(last, 2)})

    def forward(self, face, mfcc):
        x = ((face / 255 - 0.4161) / 0.1688)[None, None]
        y = mfcc.T[None, None]
        for i in (1, 2, 3):
            if i > 1:
                x = F.max_pool3d(x, (1, 3, 3), (1, 2, 2), (0, 1, 1))
                y = F.max_pool2d(y, (1, 3), (1, 2), (0, 1))
            x, y = self.model["visualEncoder"][f"block{i}"](x), self.model["audioEncoder"][f"block{i}"](y)
        both = self.model["fusion"](torch.cat((y.mean(2), x.amax((3, 4))), 1)).transpose(1, 2)
        detector = self.model["detector"]
        forward, _ = detector["gru_forward"](both)
        backward, _ = detector["gru_backward"](both.flip(1))
        states = torch.cat((forward, backward.flip(1)), 2).transpose(1, 2)
        return self.lossAV["FC"](detector["attention"](states)[0].T)


class Block(nn.Module):
    """A convolution with normalisation and rectifier, of Wav2Lip; names as there."""

    def __init__(self, conv, residual=False):
        super().__init__()
        self.conv_block, self.residual = nn.Sequential(conv, nn.BatchNorm2d(conv.out_channels)), residual

    def forward(self, x):
        y = self.conv_block(x)
        return F.relu(y + x if self.residual else y)


class Wav2Lip(nn.Module):
    def __init__(self):
        super().__init__()
        conv = lambda i, o, k=3, s=1, p=1: Block(nn.Conv2d(i, o, k, s, p))
        same = lambda channels, count: [Block(nn.Conv2d(channels, channels, 3, 1, 1), True) for _ in range(count)]
        up = lambda i, o: Block(nn.ConvTranspose2d(i, o, 3, 2, 1, 1))
        self.face_encoder_blocks = nn.ModuleList([
            nn.Sequential(conv(6, 16, 7, 1, 3)),
            nn.Sequential(conv(16, 32, s=2), *same(32, 2)),
            nn.Sequential(conv(32, 64, s=2), *same(64, 3)),
            nn.Sequential(conv(64, 128, s=2), *same(128, 2)),
            nn.Sequential(conv(128, 256, s=2), *same(256, 2)),
            nn.Sequential(conv(256, 512, s=2), *same(512, 1)),
            nn.Sequential(conv(512, 512, p=0), conv(512, 512, 1, 1, 0))])
        self.audio_encoder = nn.Sequential(
            conv(1, 32), *same(32, 2), conv(32, 64, s=(3, 1)), *same(64, 2), conv(64, 128, s=3), *same(128, 2),
            conv(128, 256, s=(3, 2)), *same(256, 1), conv(256, 512, p=0), conv(512, 512, 1, 1, 0))
        self.face_decoder_blocks = nn.ModuleList([
            nn.Sequential(conv(512, 512, 1, 1, 0)),
            nn.Sequential(Block(nn.ConvTranspose2d(1024, 512, 3)), *same(512, 1)),
            nn.Sequential(up(1024, 512), *same(512, 2)), nn.Sequential(up(768, 384), *same(384, 2)),
            nn.Sequential(up(512, 256), *same(256, 2)), nn.Sequential(up(320, 128), *same(128, 2)),
            nn.Sequential(up(160, 64), *same(64, 2))])
        self.output_block = nn.Sequential(conv(80, 32), nn.Conv2d(32, 3, 1), nn.Sigmoid())

    def forward(self, mel, face):
        seen = []
        for block in self.face_encoder_blocks:
            face = block(face)
            seen.append(face)
        x = self.audio_encoder(mel)
        for block in self.face_decoder_blocks:
            x = torch.cat((block(x), seen.pop()), 1)
        return self.output_block(x)


def settled(net, *inputs):
    """Statistics of the inputs in the normalisations, and weights that they do not cancel out.

    The batch must be larger than two: where a map is one pixel, the variance of two values may be almost nothing.
    """
    generator = torch.Generator().manual_seed(5)
    for module in net.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.momentum = None
            module.weight.data = 0.5 + torch.rand(module.weight.shape, generator=generator)
            module.bias.data = torch.rand(module.bias.shape, generator=generator) - 0.5
    with torch.no_grad():
        net.train()(*inputs)
    return net.eval()


def noise(*shape):
    """Values from 0 to 1 of a linear congruential generator, which the test makes again."""
    count, state, values = int(np.prod(shape)), 77, []
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        values.append((state >> 8) / 2**24)
    return torch.tensor(np.array(values, np.float32).reshape(shape))


def frames(count):
    """Windows of five frames, 0 to 255, made of squares: the weights would average plain noise to almost nothing."""
    return noise(count, 3, 5, 14, 14).repeat_interleave(16, 3).repeat_interleave(16, 4) * 255


def write(name, *tensors):
    values = np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors])
    (TARGET / name).write_bytes(values.astype("<f4").tobytes())


def small():
    TARGET.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    lip, mfcc = frames(8), noise(8, 1, 13, 20) * 20 - 10
    net = settled(SyncNet(1 / 16, 24), lip, mfcc)
    torch.save(net.state_dict(), TARGET / "syncnet.pth")
    torch.save(net.state_dict(), TARGET / "syncnet_legacy.pth", _use_new_zipfile_serialization=False)
    write("syncnet_lip.f32", net.lip(lip[:2]))
    write("syncnet_audio.f32", net.audio(mfcc[:4]))
    detector, image = S3FD(1 / 32), noise(1, 3, 96, 160) * 255 - 114
    torch.save(detector.state_dict(), TARGET / "s3fd.pth")
    torch.save(detector.state_dict(), TARGET / "s3fd_legacy.pth", _use_new_zipfile_serialization=False)
    torch.jit.trace(detector, image).save(TARGET / "s3fd_script.pt")
    write("s3fd.f32", *detector(image))
    face, mfcc = lr_asd_inputs()
    speaker = settled(LrAsd(1 / 8), face, mfcc)
    torch.save(speaker.state_dict(), TARGET / "lr_asd.pth")
    write("lr_asd.f32", speaker(face, mfcc))
    odd()


def lr_asd_inputs():
    """A second of squares and the coefficients of it."""
    face = noise(25, 14, 14).repeat_interleave(8, 1).repeat_interleave(8, 2) * 255
    return face, noise(100, 13) * 20 - 10


def lr_asd(checkpoint):
    net = LrAsd().eval()
    net.load_state_dict(torch.load(checkpoint, map_location="cpu"))
    with torch.no_grad():
        write("lr_asd_talkset.f32", net(*lr_asd_inputs()))


def odd():
    """Tensors that share a storage, are transposed, cut out of larger ones, halved or doubled in precision."""
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    tensors = OrderedDict(
        plain=base, transposed=base.t(), window=base[1:3, 2:5], steps=base[:, ::2], half=base.half(), double=base.double(),
        bfloat=base.bfloat16(), scalar=torch.tensor(3.5), empty=torch.zeros(0, 3), integers=torch.arange(3))
    content = {"state_dict": {f"module.{name}": tensor for name, tensor in tensors.items()},
               "optimizer": {"state": {0: {"step": 1, "exp_avg": torch.zeros(5)}}, "param_groups": [{"lr": 1e-4}]},
               "global_step": 10**12, "note": "straße"}
    torch.save(content, TARGET / "odd.pth")
    torch.save(content, TARGET / "odd_legacy.pth", _use_new_zipfile_serialization=False)


def full(folder):
    folder = folder / "vectors/checkpoints"
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(1)
    mel, face = noise(8, 1, 80, 16) * 8 - 4, noise(8, 6, 96, 96)
    net = settled(Wav2Lip(), mel, face)
    mel, face = mel[:2], face[:2]
    # So slow that the outputs stay where they are.
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-9)
    net(mel, face).sum().backward()
    optimizer.step()
    state = {f"module.{name}": tensor for name, tensor in net.state_dict().items()}
    content = {"state_dict": state, "optimizer": optimizer.state_dict(), "global_step": 1, "global_epoch": 1}
    torch.save(content, folder / "wav2lip.pth")
    torch.save(content, folder / "wav2lip_legacy.pth", _use_new_zipfile_serialization=False)
    lip, mfcc = frames(8), noise(8, 1, 13, 20) * 20 - 10
    syncnet = settled(SyncNet(), lip, mfcc)
    lip, mfcc = lip[:2], mfcc[:2]
    torch.save(syncnet.state_dict(), folder / "syncnet.pth", _use_new_zipfile_serialization=False)
    detector, image = S3FD(), noise(1, 3, 96, 160) * 255 - 114
    torch.save(detector.state_dict(), folder / "s3fd.pth", _use_new_zipfile_serialization=False)
    with torch.no_grad():
        named = dict(out=net(mel, face), lip=syncnet.lip(lip), audio=syncnet.audio(mfcc[:4]))
        named |= {f"s3fd{index}": output for index, output in enumerate(detector(image))}
    np.savez(folder / "outputs.npz", mel=mel, face=face, lip_in=lip, mfcc=mfcc, image=image,
             **{name: value.numpy() for name, value in named.items()})


if __name__ == "__main__":
    if sys.argv[1:2] == ["--full"]:
        full(Path(sys.argv[2]))
    elif sys.argv[1:2] == ["--lr-asd"]:
        lr_asd(sys.argv[2])
    else:
        small()
