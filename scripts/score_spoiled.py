#!/usr/bin/env python3
"""Scores clips and copies of them with one fault each, and prints the means as a table.

    score_spoiled.py target/debug/viseme CLIP...

Needs ffmpeg on the PATH, numpy and opencv-python-headless. docs/SCORE.md has the figures and what they are read for.
"""
import json
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

SECONDS = "8"
LOSSLESS = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "6", "-c:a", "pcm_s16le"]
COPY = ["-c:v", "copy", "-c:a", "pcm_s16le"]


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-threads", "1", *map(str, arguments)], check=True)


def shifted(delay_s):
    """The sound comes later by so many seconds: the lips are early."""

    def make(source, target):
        ffmpeg("-i", source, "-itsoffset", delay_s, "-i", source, "-map", "0:v", "-map", "1:a", *COPY, target)

    return make


def filtered(video=None, audio=None, codec=LOSSLESS):
    def make(source, target):
        filters = (["-vf", video] if video else []) + (["-af", audio] if audio else [])
        ffmpeg("-i", source, *filters, *codec, target)

    return make


def patched(change):
    """The lower half of the face, where a generator would paste, goes through `change`."""

    def make(source, target):
        lines = subprocess.run([VISEME, "faces", source, "-q"], check=True, capture_output=True, text=True).stdout
        boxes = [line["faces"][0]["bbox"] if line["faces"] else None for line in map(json.loads, lines.splitlines())]
        capture = cv2.VideoCapture(str(source))
        width, height = (int(capture.get(k)) for k in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT))
        rate = capture.get(cv2.CAP_PROP_FPS)
        encoder = subprocess.Popen(
            ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "bgr24", "-s", f"{width}x{height}", "-r",
             str(rate), "-i", "-", "-i", source, "-map", "0:v", "-map", "1:a", "-pix_fmt", "yuv420p", *LOSSLESS, target],
            stdin=subprocess.PIPE)
        for index, box in enumerate(boxes):
            frame = capture.read()[1]
            if frame is None:
                break
            if box:
                x, y, w, h = map(round, box)
                rows, columns = slice(max(y + h // 2, 0), y + h), slice(max(x, 0), x + w)
                if frame[rows, columns].size:
                    frame[rows, columns] = change(frame[rows, columns], index)
            encoder.stdin.write(frame.tobytes())
        encoder.stdin.close()
        encoder.wait()

    return make


def small(part, _):
    """As a generator of 96 pixels across the face would give it."""
    height, width = part.shape[:2]
    size = (max(min(width, 96), 1), max(min(height, 48), 1))
    return cv2.resize(cv2.resize(part, size, interpolation=cv2.INTER_AREA), (width, height))


def brighter(part, _):
    return np.clip(part.astype(np.int16) + 10, 0, 255).astype(np.uint8)


def trembling(part, index):
    """Moved up and down by 1 % of the face."""
    return np.roll(part, (index % 2) * max(1, part.shape[0] // 50), axis=0)


FAULTS = {
    "as it is": filtered(codec=COPY),
    "sound 0.4 s early": shifted(-0.4),
    "sound 0.2 s early": shifted(-0.2),
    "sound 0.2 s late": shifted(0.2),
    "sound 0.4 s late": shifted(0.4),
    "another's speech": None,
    "white noise": filtered(audio="aeval=val(0)+0.03*(random(0)*2-1)"),
    "peaks cut off": filtered(audio="aformat=channel_layouts=mono,volume=24dB,aformat=s16,volume=-18dB"),
    "telephone": filtered(audio="aresample=7000"),
    "40 dB quieter": filtered(audio="volume=-40dB"),
    "blurred": filtered(video="gblur=sigma=3"),
    "H.264 at crf 40": filtered(codec=["-c:v", "libx264", "-crf", "40", "-c:a", "copy"]),
    "MPEG-4 at q 31": filtered(codec=["-c:v", "mpeg4", "-q:v", "31", "-c:a", "copy"]),
    "dark": filtered(video="format=yuv420p,lutyuv=y=16+(val-16)*0.15"),
    "mouth of 96 pixels": patched(small),
    "mouth 10 brighter": patched(brighter),
    "mouth trembles": patched(trembling),
}


def values(report):
    face = report["tracks"][0] if report["tracks"] else {}
    sync = face.get("sync") or {}
    sound, picture, looks = report["sound"] or {}, report["picture"] or {}, face.get("face") or {}
    return {
        "sync_score": report["sync_score"], "audio_quality": report["audio_quality"],
        "video_quality": report["video_quality"], "r": sync.get("correlation"), "near": sync.get("correlation_near"),
        "best": sync.get("correlation_best"), "lag ms": sync.get("lag_ms"), "SNR dB": sound.get("signal_to_noise_db"),
        "peak %": sound.get("share_near_peak") and 100 * sound["share_near_peak"], "kHz": sound.get("bandwidth_hz") and
        sound["bandwidth_hz"] / 1000, "LUFS": sound.get("loudness_lufs"), "blur": looks.get("blur"),
        "mouth": looks.get("mouth_blur") and looks["mouth_blur"] - looks["blur"], "seam": looks.get("seam_step"),
        "jitter": looks.get("jitter_percent"), "blocks": picture.get("blockiness"), "light": picture.get("brightness"),
        "whole": picture.get("blur"), "width": looks.get("width_px"),
    }


def scored(video, audio=None):
    command = [VISEME, "score", str(video), "--json", "-q"] + (["--audio", str(audio)] if audio else [])
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode:
        sys.exit(f"{video}: {run.stderr}")
    return values(json.loads(run.stdout))


def all_of(clip, other, folder):
    rows = {}
    start = Path(folder, clip.stem + "_source.mkv")
    ffmpeg("-i", clip, "-t", SECONDS, "-map", "0:v:0", "-map", "0:a:0", *LOSSLESS, start)
    for name, make in FAULTS.items():
        if ONLY and name not in ONLY:
            continue
        if make is None:
            rows[name] = scored(start, other)
            continue
        target = Path(folder, f"{clip.stem}_spoiled.mkv")
        make(start, target)
        rows[name] = scored(target)
        target.unlink()
    print(clip.name, json.dumps(rows), file=sys.stderr, flush=True)
    return rows


def mean(rows, key, spread):
    found = [row[key] for row in rows if row[key] is not None]
    if not found:
        return "–"
    if key == "lag ms":
        return f"{np.median(found):.0f}"
    return f"{np.mean(found):.2f} ({min(found):.2f}–{max(found):.2f})" if spread else f"{np.mean(found):.2f}"


def main():
    clips = [Path(clip) for clip in CLIPS]
    with tempfile.TemporaryDirectory() as folder:
        others = clips[1:] + clips[:1]
        with ThreadPoolExecutor(2) as pool:
            found = list(pool.map(lambda pair: all_of(*pair, folder), zip(clips, others)))
    columns = list(found[0]["as it is"])
    print("| fault | " + " | ".join(columns) + " |\n|" + " --- |" * (len(columns) + 1))
    for name in found[0]:
        rows = [rows[name] for rows in found]
        print(f"| {name} | " + " | ".join(mean(rows, key, key.find("_") > 0) for key in columns) + " |")


if __name__ == "__main__":
    arguments = sys.argv[1:]
    ONLY = arguments.pop(0).removeprefix("--only=").split(",") if arguments[0].startswith("--only=") else []
    VISEME, *CLIPS = arguments
    main()
