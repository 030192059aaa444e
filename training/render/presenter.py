"""Renders the demo presenter: a CG person who speaks one espeak-ng sentence.

    python presenter.py --model FaceXModel --frames frames --out presenter.mp4
"""
import argparse
import os
import subprocess
import time

import numpy as np

import stage
from face_model import FaceModel
from head import Head
from speech import articulate, expression, save, speak

FPS = 25
SENTENCE = "Good afternoon. I love to talk about maps, boats, and wild apples."
VOICE = {"voice": "en-us", "speed": 155, "pitch": 42, "pitch_range": 60}
SILENCE = (0.24, 0.28)  # seconds before and after the sentence
BLINKS = (0.60, 2.35, 4.40)  # seconds

CROP = (0.165, 0.05, 0.835, 1.0)  # left, top, right, bottom of the moving part of the frame
# Coefficients of the identity shapes, chosen by eye.
IDENTITY = [0.3, -0.6, 0.5, -0.4, 0.6, 0.3, -0.5, 0.2, 0.4, -0.3, 0.2, 0.3, -0.2, 0.4]
LOOK = {
    "skin": (0.56, 0.33, 0.235), "lips": (0.44, 0.155, 0.135), "hair": (0.045, 0.024, 0.013), "iris": (0.16, 0.085, 0.035),
    "cloth": (0.035, 0.085, 0.16), "flush": 0.55, "stubble": 0.12,
    "style": {"top": 3.2, "side": 0.7, "part": 2.8, "lift": 0.35, "curl": 0.2, "fall": 0.35},
}


def set_up(folder, width, height, samples, threads):
    """The presenter in the studio: three soft lights and a grey wall."""
    stage.clear()
    stage.renderer(width, height, samples, threads)
    figure = stage.Figure(Head(FaceModel(folder), IDENTITY, seed=7), LOOK)
    stage.camera((0, 2.6, 130), (0, 1.6, 4), 34.5)
    stage.area_light("key", (-45, 35, 85), (0, 0, 6), 55, 90000, (1.0, 0.95, 0.88))
    stage.area_light("fill", (35, -6, 105), (0, -2, 6), 60, 48000, (0.92, 0.96, 1.0))
    stage.area_light("rim", (-55, 30, -45), (0, 4, 0), 40, 18000)
    stage.backdrop((0.42, 0.47, 0.50), (0.13, 0.16, 0.19))
    stage.ambient((0.8, 0.88, 1.0), 0.25)
    return figure


def say():
    """(sound with silence around it, rate, phones moved likewise, duration in seconds)."""
    sound, rate, phones = speak(SENTENCE, **VOICE)
    before, after = (np.zeros(int(s * rate), np.int16) for s in SILENCE)
    sound = np.concatenate([before, sound, after])
    return sound, rate, [(t + SILENCE[0], p) for t, p in phones], len(sound) / rate


def loudness(sound, rate, frames):
    """Speech energy per frame, 0..1, smoothed over about 0.3 s: drives brows and nods."""
    step = rate // FPS
    padded = np.pad(sound.astype(float), (0, max(0, frames * step - len(sound))))[:frames * step]
    level = np.sqrt((padded.reshape(frames, step) ** 2).mean(1))
    window = np.hanning(11)[1:-1]
    return np.convolve(level / max(level.max(), 1), window / window.sum(), "same")


def performance(sound, rate, phones, duration):
    """One dict of arguments of `Figure.show` per frame."""
    mouth = articulate(phones, duration, FPS)
    frames = len(mouth["jaw"])
    t = np.arange(frames) / FPS
    energy = loudness(sound, rate, frames)
    yaw = 7.0 * np.sin(2 * np.pi * t / 4.3 - 0.4) + 2.6 * np.sin(2 * np.pi * t / 1.7 + 1)
    pitch = 1.0 + 2.2 * np.sin(2 * np.pi * t / 2.9 + 0.5) + 5.0 * (energy - energy.mean()) + 0.8 * np.sin(2 * np.pi * t / 1.1)
    roll = 2.4 * np.sin(2 * np.pi * t / 3.4 + 2)
    blink = sum(np.interp(t - b, [-0.10, 0.0, 0.05, 0.22], [0, 1, 1, 0]) for b in BLINKS)
    out = []
    for i in range(frames):
        weights, tongue = expression({name: curve[i] for name, curve in mouth.items()})
        weights["eyeBlink"] = blink[i]
        weights["browInnerUp"] = 0.10 + 0.55 * energy[i]
        weights["browOuterUp"] = 0.40 * energy[i]
        weights["cheekSquint"] = 0.10 + 0.25 * weights["mouthSmile"]
        shift = (0.9 * np.sin(2 * np.pi * t[i] / 4.6), 0.18 * np.sin(2 * np.pi * t[i] / 3.2), 0.4 * np.sin(2 * np.pi * t[i] / 3.9))
        out.append({"expression": weights, "angles": (yaw[i], pitch[i], roll[i]), "gaze": (yaw[i], -pitch[i]),
                    "tongue": tongue, "shift": shift})
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True, help="FaceXModel folder of ICT-FaceKit")
    parser.add_argument("--frames", required=True, help="folder of the rendered pictures (existing ones are kept)")
    parser.add_argument("--out", required=True)
    parser.add_argument("--height", type=int, default=540, help="rows rendered; the film is scaled to 720")
    parser.add_argument("--samples", type=int, default=4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--only", type=int, nargs="*", help="render these frames alone, make no film")
    options = parser.parse_args()
    os.makedirs(options.frames, exist_ok=True)
    sound, rate, phones, duration = say()
    frames = performance(sound, rate, phones, duration)
    figure = set_up(options.model, options.height * 16 // 9, options.height, options.samples, options.threads)
    wall = os.path.join(options.frames, "wall.png")
    if not os.path.exists(wall):
        figure.hide(True)
        stage.render(os.path.abspath(wall))
        figure.hide(False)
    stage.crop(*CROP)
    for index in options.only if options.only is not None else range(len(frames)):
        path = os.path.join(os.path.abspath(options.frames), f"{index:04d}.png")
        if not os.path.exists(path):
            begin = time.time()
            figure.show(**frames[index])
            stage.render(path)
            print(f"frame {index + 1}/{len(frames)} {time.time() - begin:.1f} s", flush=True)
    if options.only is None:
        film(options, sound, rate)


def film(options, sound, rate):
    """Lays the pictures over the wall and encodes them with the sound: H.264 4:2:0 and AAC."""
    track = os.path.join(options.frames, "speech.wav")
    save(track, sound, rate)
    width, height = options.height * 16 // 9, options.height
    layers = (f"[0][1]overlay=x={round(CROP[0] * width)}:y={round(CROP[1] * height)}:format=gbrp:shortest=1,"
              "scale=1280:720:flags=lanczos:out_color_matrix=bt709:out_range=tv,format=yuv420p")
    subprocess.run([
        "ffmpeg", "-v", "error", "-y", "-loop", "1", "-framerate", str(FPS), "-i", os.path.join(options.frames, "wall.png"),
        "-framerate", str(FPS), "-i", os.path.join(options.frames, "%04d.png"), "-i", track, "-filter_complex", layers,
        "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv", "-c:v", "libx264",
        "-preset", "veryslow", "-crf", "17", "-g", "50", "-c:a", "aac", "-b:a", "96k", "-movflags", "+faststart",
        options.out], check=True)


if __name__ == "__main__":
    main()
