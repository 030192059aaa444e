#!/usr/bin/env python3
"""Measures what loops do: whether later rounds follow the speech as well as the first, and whether the boundaries show.

The sound of a clip is said three times on end, over a source that is cut to LENGTH of it: each round says its words from
another place on, and all rounds say nearly the same words, so that their figures can be compared.

  r per round      correlation of the output's lip opening with the true speaker's, at the lag that fits the whole output best
  boundary / p95   largest mean difference of two frames on end at a boundary, over the 95th percentile of those of the clip

Needs the judge of $VISEME_SHARED (MediaPipe, see judge/README.md there) and ffmpeg. One row per pair and mode, then means.

  measure_loops.py --shared DIR [--viseme target/release/viseme] [--keep DIR] [--modes MODE …] [SOURCE=TRUTH …]
"""
import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

MODES = ["repeat", "pingpong", "crossfade", "smart", "hold", "remap"]
PAIRS = ["st_aoc_512=vr_3_590", "mead_surprised_256=vr_3_590", "tpsmm_driving_412=vx_aoc_512"]
LENGTH = 0.8
FPS = 25


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def gray_frames(path, end_s=None):
    """All frames of the picture, 8-bit gray, no taller than 360 rows."""
    height = int(run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=height", "-of",
                     "csv=p=0", path).strip().split("\n")[0].strip(","))
    width = int(run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width", "-of",
                    "csv=p=0", path).strip().split("\n")[0].strip(","))
    rows = min(height, 360)
    columns = round(width * rows / height / 2) * 2
    until = [] if end_s is None else ["-t", str(end_s)]
    command = ["ffmpeg", "-v", "error", "-i", str(path), *until, "-vf", f"scale={columns}:{rows}:flags=area,format=gray",
               "-fps_mode", "passthrough", "-f", "rawvideo", "-"]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, rows, columns)


def differences(frames):
    pairs = zip(frames[:-1], frames[1:])
    return np.array([np.abs(a.astype(np.int16) - b).mean() for a, b in pairs])


def boundaries(report, frames):
    """The output frames of each boundary, with those on both sides."""
    shape, period = report["loop"]["shape"], report["loop"]["period_frames"]
    if shape is None:
        return []
    first = shape["end"] - shape["blended"]
    return [range(max(start - 1, 0), min(start + shape["blended"] + 1, frames))
            for start in range(first, frames, period)]


def rounds(report, frames):
    """Output frames of each whole round; thirds where none begins anew."""
    period = report["loop"]["period_frames"] or report["input"]["frames"]
    if report["loop"]["mode"] == "pingpong":
        period = report["input"]["frames"]
    return [(start, start + period) for start in range(0, frames - period // 2, period)]


def opening(judge, path):
    return judge.opening(judge.stabilise(judge.landmarks(judge.frames(str(path), FPS, 60)))[0])


def measure(judge, truth, source, speech, end_s, output, viseme, mode):
    report = json.loads(run(viseme, "sync", source, speech, "-o", output, "--end", end_s, "--loop", mode, "--crf", 12,
                            "--quiet", "--json"))
    curve = opening(judge, output)
    count = min(len(curve), len(truth))
    _, lag = judge.lagcorr(curve[:count], truth[:count])
    late, fps = np.roll(curve, -lag), report["output"]["fps"]
    scores = []
    for start, end in rounds(report, report["output"]["frames_written"]):
        at, to = round(start * FPS / fps), min(round(end * FPS / fps), count - abs(lag))
        if to - at > FPS:
            scores.append(float(np.corrcoef(late[at:to], truth[at:to])[0, 1]))
    steps = differences(gray_frames(output))
    p95 = float(np.percentile(differences(gray_frames(source, end_s)), 95))
    places = boundaries(report, len(steps) + 1)
    worst = max((steps[list(place)[:-1]].max() for place in places), default=float("nan"))
    duration_ms = report["output"]["duration_ms"]
    off = duration_ms - max(report["speech"]["duration_ms"], 0 if mode == "remap" else report["input"]["duration_ms"])
    return dict(scores=scores, ratio=float(worst / p95), shape=report["loop"]["shape"], off_frames=off * fps / 1000)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", required=True, type=Path)
    parser.add_argument("--viseme", default="target/release/viseme")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--modes", nargs="+", default=MODES)
    parser.add_argument("pairs", nargs="*", default=PAIRS)
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.shared / "judge"))
    import judge

    folder = arguments.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    rows = {mode: [] for mode in arguments.modes}
    for pair in arguments.pairs:
        source, truth = (arguments.shared / "media" / f"{name}.mp4" for name in pair.split("="))
        speech = folder / f"{truth.stem}_thrice.wav"
        run("ffmpeg", "-v", "error", "-y", "-i", truth, "-vn", "-ac", 1, "-ar", 16000, folder / "once.wav")
        once = opening(judge, truth)
        seconds = len(once) / FPS
        run("ffmpeg", "-v", "error", "-y", "-stream_loop", 2, "-i", folder / "once.wav", "-af",
            f"apad=whole_dur={3 * seconds}", "-t", 3 * seconds, speech)
        for mode in arguments.modes:
            found = measure(judge, np.tile(once, 3), source, speech, round(LENGTH * seconds, 3),
                            folder / f"{source.stem}_{mode}.mp4", arguments.viseme, mode)
            rows[mode].append(found)
            scores = " ".join(f"{score:.3f}" for score in found["scores"])
            print(f"{pair} {mode}: r {scores}; boundary / p95 {found['ratio']:.2f}; {found['off_frames']:+.2f} frames; "
                  f"{found['shape']}", flush=True)
    for mode, found in rows.items():
        count = min(len(row["scores"]) for row in found)
        means = np.mean([row["scores"][:count] for row in found], axis=0)
        worst = np.nanmax([row["ratio"] for row in found]) if mode not in ("hold", "remap") else float("nan")
        print(f"mean {mode}: r {' '.join(f'{mean:.3f}' for mean in means)}; worst boundary / p95 {worst:.2f}")


if __name__ == "__main__":
    main()
