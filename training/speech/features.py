"""Log-mel features and their normalisation: the one definition that training, export and the Rust engine share."""
import subprocess

import numpy as np

SAMPLE_RATE = 16000
HOP, WINDOW, FFT, BANDS = 160, 400, 512, 40
PRE_EMPHASIS = 0.97
LOWEST_HZ, HIGHEST_HZ = 60.0, 7600.0
POWER_FLOOR = 1e-6

SILENCE_LEVEL = -12.5      # mean log power of a frame of digital silence is ln 1e-6 = -13.8: such frames never count
PEAK_PERCENTILE = 98       # of the levels of the remaining frames: loud speech
SPEECH_RANGE = 3.5         # nepers of power (15 dB) below the peak that still count as speech
CHANNEL_WEIGHT = 0.7       # how much of each band's own mean is removed; the rest is the overall level
SCALE, LOWEST, HIGHEST = 2.5, -4.0, 3.0


def mel_triangles():
    """40 HTK-mel triangles over the 257 FFT bins, peak 1, (40, 257)."""
    mel = lambda hertz: 2595 * np.log10(1 + hertz / 700)
    hertz = lambda mel: 700 * (10 ** (mel / 2595) - 1)
    edges = hertz(np.linspace(mel(LOWEST_HZ), mel(HIGHEST_HZ), BANDS + 2))
    bins = np.fft.rfftfreq(FFT, 1 / SAMPLE_RATE)
    rows = [np.minimum((bins - a) / (b - a), (c - bins) / (c - b)) for a, b, c in zip(edges, edges[1:], edges[2:])]
    return np.clip(rows, 0, None).astype(np.float32)


TRIANGLES = mel_triangles()


def log_mel(samples):
    """16 kHz mono float samples in -1..1 → (frames, 40) natural log power, 100 frames/s, frame k centred at sample 160 k."""
    if not len(samples):
        return np.zeros((0, BANDS), np.float32)
    emphasised = np.concatenate([samples[:1], samples[1:] - PRE_EMPHASIS * samples[:-1]]).astype(np.float32)
    padded = np.pad(emphasised, (WINDOW // 2, WINDOW))
    count = (len(padded) - WINDOW) // HOP
    index = np.arange(WINDOW)[None] + HOP * np.arange(count)[:, None]
    power = np.abs(np.fft.rfft(padded[index] * np.hanning(WINDOW).astype(np.float32), FFT)) ** 2
    return np.log(power @ TRIANGLES.T + POWER_FLOOR).astype(np.float32)


def speech_frames(mel):
    """Frames within 15 dB of the clip's loud speech: pauses and silence, however long, are left out."""
    level = mel.mean(1)
    audible = level[level > SILENCE_LEVEL]
    if not len(audible):
        return np.ones(len(mel), bool)
    return level >= np.percentile(audible, PEAK_PERCENTILE) - SPEECH_RANGE


def normalise(mel):
    """Removes the channel and the level of the clip's speech; silence elsewhere in the clip does not change the result."""
    speech = mel[speech_frames(mel)]
    centre = CHANNEL_WEIGHT * speech.mean(0) + (1 - CHANNEL_WEIGHT) * speech.mean()
    return np.clip((mel - centre) / SCALE, LOWEST, HIGHEST).astype(np.float32)


def load_audio(path):
    """Decodes with ffmpeg; gaps and a late start are filled so that sample 0 is time 0 of the file. No sound: empty."""
    command = ['ffmpeg', '-v', 'error', '-i', str(path), '-af', 'aresample=async=1:first_pts=0',
               '-ac', '1', '-ar', str(SAMPLE_RATE), '-f', 's16le', '-']
    raw = subprocess.run(command, capture_output=True).stdout
    return np.frombuffer(raw, np.int16).astype(np.float32) / 32768
