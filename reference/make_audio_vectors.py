#!/usr/bin/env python3
"""Vectors for the log-mel features: the definition in numpy, on a sound that the test makes again in Rust.

    python3 reference/make_audio_vectors.py      # needs numpy; writes crates/base/viseme-audio/tests/vectors/log_mel.json
"""
import json
from pathlib import Path

import numpy as np

SAMPLE_RATE = 16000
HOP, WINDOW, FFT, BANDS = 160, 400, 512, 40
PRE_EMPHASIS = 0.97
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
POWER_FLOOR = 1e-6
TARGET = Path(__file__).parent.parent / "crates/base/viseme-audio/tests/vectors/log_mel.json"


def triangles():
    """40 HTK-mel triangles over the 257 bins of the transform, peak 1, as (40, 257)."""
    mel = lambda hertz: 2595 * np.log10(1 + hertz / 700)
    hertz = lambda mel: 700 * (10 ** (mel / 2595) - 1)
    edges = hertz(np.linspace(mel(LOWEST_HZ), mel(HIGHEST_HZ), BANDS + 2))
    bins = np.fft.rfftfreq(FFT, 1 / SAMPLE_RATE)
    rows = [np.minimum((bins - a) / (b - a), (c - bins) / (c - b)) for a, b, c in zip(edges, edges[1:], edges[2:])]
    return np.clip(rows, 0, None)


def log_mel(samples):
    """Mono 16 kHz float32 samples to (frames, 40) natural logarithms of power; frame k is centred on sample 160 k."""
    emphasised = np.concatenate([samples[:1], samples[1:] - np.float32(PRE_EMPHASIS) * samples[:-1]])
    padded = np.pad(emphasised, (WINDOW // 2, WINDOW))
    count = (len(padded) - WINDOW) // HOP
    index = np.arange(WINDOW)[None] + HOP * np.arange(count)[:, None]
    windowed = padded[index] * np.hanning(WINDOW).astype(np.float32)
    power = np.abs(np.fft.rfft(windowed.astype(np.float64), FFT)) ** 2
    return np.log(power @ triangles().T + POWER_FLOOR)


def sound(count):
    """Noise of a linear congruential generator, loud for 1000 samples, then quiet for 1000, and so on."""
    state, samples = 12345, np.zeros(count, np.float32)
    for i in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        noise = np.float32((state >> 8) / 2**24) - np.float32(0.5)
        samples[i] = noise if i // 1000 % 2 == 0 else noise * np.float32(2**-10)
    return samples


def main():
    cases = []
    for count in (1, 159, 200, 3571):
        mel = log_mel(sound(count))
        cases.append({"samples": count, "frames": [[round(float(v), 6) for v in frame] for frame in mel]})
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(cases, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
