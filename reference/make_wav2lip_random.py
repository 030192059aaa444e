#!/usr/bin/env python3
"""Wav2Lip at full size with random weights, as ONNX, and what PyTorch makes of inputs that the bench makes again.

    git clone https://github.com/Rudrabha/Wav2Lip
    python3 reference/make_wav2lip_random.py Wav2Lip OUT    # needs torch, onnx; writes two files into the folder OUT
    VISEME_BENCH_MODEL=OUT/wav2lip_random.onnx VISEME_BENCH_REFERENCE=OUT/wav2lip_random.f32 \\
        cargo bench -p viseme-models
"""
import sys
from pathlib import Path

import numpy as np
import torch

ITEMS = 8


def noise(shape, seed):
    """Values of a linear congruential generator from 0 to 1: `noise` of benches/runtimes.rs."""
    values, state = np.empty(int(np.prod(shape)), np.float32), seed
    for i in range(values.size):
        state = (state * 1664525 + 1013904223) % 2**32
        values[i] = (state >> 8) / 2**24
    return torch.from_numpy(values.reshape(shape))


def main():
    code, target = Path(sys.argv[1]), Path(sys.argv[2])
    sys.path.insert(0, str(code))
    from models.wav2lip import Wav2Lip

    torch.manual_seed(0)
    net = Wav2Lip()
    # Statistics of real activations in the normalisation layers: with the initial ones the signal dies out.
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        for _ in range(2):
            net(torch.rand(4, 1, 80, 16) * 8 - 4, torch.rand(4, 6, 96, 96))
        net.eval()
        mel, faces = noise((ITEMS, 1, 80, 16), 1) * 8 - 4, noise((ITEMS, 6, 96, 96), 2)
        net(mel, faces).numpy().astype("<f4").tofile(target / "wav2lip_random.f32")
        torch.onnx.export(net, (mel, faces), str(target / "wav2lip_random.onnx"), dynamo=False, opset_version=17,
                          input_names=["mel", "faces"], output_names=["mouth"],
                          dynamic_axes={name: {0: "n"} for name in ("mel", "faces", "mouth")})


if __name__ == "__main__":
    main()
