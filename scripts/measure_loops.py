#!/usr/bin/env python3
"""Measures what loops do: whether later rounds follow the speech as well as the first, and whether the boundaries show.

The start of a clip's sound is spoken over another clip, for three rounds of the loop. Rounds can be compared only where
they say the same words, so the sound is cut to the length of a round and repeated; with --words running it goes on from
round to round (and starts again after its end), and rounds differ as words do. Where no round begins anew (hold, remap)
rounds are thirds.

  r per round      correlation of the output's lip opening with the true speaker's, at the lag that fits the whole output best
  plain            the same for jobs without a loop: the frames of each round as a clip, with the words of that round
  boundary / p95   largest mean difference of two frames on end at a boundary, over the 95th percentile of those of the clip

Needs the judge of $VISEME_SHARED (MediaPipe, see judge/README.md there) and ffmpeg; clips of 25 frames a second.
One row per pair and mode, then the largest distance of a round from the first and from its plain job. With --boundaries
only these are measured, without the judge and at any frame rate, with the sound of TRUTH over the first 2.4 s of SOURCE.

  measure_loops.py --shared DIR [--viseme target/release/viseme] [--keep DIR] [--modes MODE …] [--words same|running]
                   [--no-plain] [--boundaries] [SOURCE=TRUTH …]
"""
import argparse
import json
import subprocess
import sys
import tempfile
import wave
from pathlib import Path

import numpy as np

MODES = ["repeat", "pingpong", "crossfade", "smart", "hold", "remap"]
PAIRS = ["st_aoc_512=vr_3_590", "mead_surprised_256=vr_3_590", "tpsmm_driving_412=vx_aoc_512"]
FPS = 25
RATE = 16000
# Frames of the looped clip, or of both ways of a pingpong.
LENGTH = 100
ROUNDS = 3
# Seconds of the clip whose boundaries alone are looked at.
SHORT_S = 2.4
# Frames after the last round, for the lag.
TAIL = 12


def run(*command):
    return subprocess.run([str(part) for part in command], check=True, capture_output=True, text=True).stdout


def size(path):
    found = run("ffprobe", "-v", "error", "-select_streams", "v:0", "-show_entries", "stream=width,height", "-of",
                "csv=p=0", path)
    return [int(value) for value in found.strip().split("\n")[0].strip(",").split(",")]


def raw_frames(path, count, filters, frame_bytes):
    limit = [] if count is None else ["-frames:v", str(count)]
    command = ["ffmpeg", "-v", "error", "-i", str(path), *limit, "-vf", filters, "-fps_mode", "passthrough", "-f",
               "rawvideo", "-"]
    data = subprocess.run(command, check=True, capture_output=True).stdout
    return np.frombuffer(data, np.uint8).reshape(-1, frame_bytes)


def gray_frames(path, count=None):
    """The frames of the picture, 8-bit gray, no taller than 360 rows."""
    width, height = size(path)
    rows = min(height, 360)
    columns = round(width * rows / height / 2) * 2
    frames = raw_frames(path, count, f"scale={columns}:{rows}:flags=area,format=gray", rows * columns)
    return frames.reshape(-1, rows, columns)


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


def boundary(report, output, source):
    """The largest step of the output at a boundary, over the 95th percentile of the steps of the part that was used."""
    steps = differences(gray_frames(output))
    p95 = np.percentile(differences(gray_frames(source, report["input"]["frames"])), 95)
    places = boundaries(report, len(steps) + 1)
    return float(max((steps[list(place)[:-1]].max() for place in places), default=float("nan")) / p95)


def shown(mode, frames, shape, output, total):
    """The source frame of an output frame; of a blend the one that begins."""
    if mode == "pingpong":
        step = output % (2 * frames - 2)
        return min(step, 2 * frames - 2 - step)
    if mode == "hold":
        return min(output, frames - 1)
    if mode == "remap":
        return min((2 * output + 1) * frames // (2 * total), frames - 1)
    first, end = shape["first"], shape["end"]
    after = output - (end - shape["blended"])
    return output if after < 0 else first + after % (end - first - shape["blended"])


class Words:
    """Sound and lip opening of a speaker, by frames of 25 a second."""

    def __init__(self, judge, path, folder):
        self.opening = opening(judge, path)
        sound = folder / "once.wav"
        run("ffmpeg", "-v", "error", "-y", "-i", path, "-vn", "-ac", 1, "-ar", RATE, sound)
        with wave.open(str(sound)) as file:
            samples = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        wanted = len(self.opening) * RATE // FPS
        self.samples = np.pad(samples, (0, max(0, wanted - len(samples))))[:wanted].reshape(len(self.opening), -1)

    def spoken(self, frames):
        """The same, frame by frame in this order."""
        spoken = object.__new__(Words)
        spoken.opening, spoken.samples = self.opening[frames], self.samples[frames]
        return spoken

    def write(self, path):
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(np.ascontiguousarray(self.samples).tobytes())
        return path


def opening(judge, path):
    return judge.opening(judge.stabilise(judge.landmarks(judge.frames(str(path), FPS, 60)))[0])


def scores(judge, curve, truth, rounds):
    """The correlation of each round at the lag that fits all best."""
    count = min(len(curve), len(truth))
    _, lag = judge.lagcorr(curve[:count], truth[:count])
    found = []
    for start, end in rounds:
        start, end = max(start, -lag), min(end, count - max(lag, 0))
        found.append(float(np.corrcoef(curve[start + lag:end + lag], truth[start:end])[0, 1]))
    return found


class Measurement:
    def __init__(self, judge, viseme, folder):
        self.judge, self.viseme, self.folder = judge, viseme, folder

    def sync(self, source, words, output, *options):
        words.write(self.folder / "speech.wav")
        return json.loads(run(self.viseme, "sync", source, self.folder / "speech.wav", "-o", output, "--crf", 12,
                              "--preset", "ultrafast", "--quiet", "--json", *options))

    def shape(self, source, words, mode, frames):
        """The part of the clip that is looped, and the frames of a round."""
        whole = {"first": 0, "end": frames, "blended": 0}
        if mode == "pingpong":
            return whole, 2 * frames - 2
        if mode not in ("crossfade", "smart"):
            return whole, frames
        scout = words.spoken(np.arange(frames + 1) % len(words.opening))
        loop = self.sync(source, scout, self.folder / "scout.mp4", "--end", frames / FPS, "--loop", mode)["loop"]
        return loop["shape"], loop["period_frames"]

    def plain(self, source, listed, words):
        """The correlation of a job without a loop whose clip is these frames of the source."""
        columns, rows = size(source)
        frames = raw_frames(source, max(listed) + 1, "format=yuv444p", 3 * rows * columns)
        clip = self.folder / "plain_source.mkv"
        command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", f"{columns}x{rows}", "-r",
                   str(FPS), "-i", "-", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "4", str(clip)]
        subprocess.run(command, input=frames[listed].tobytes(), check=True)
        self.sync(clip, words, self.folder / "plain.mp4")
        return scores(self.judge, opening(self.judge, self.folder / "plain.mp4"), words.opening, [(0, len(listed))])[0]

    def loop(self, source, words, mode, is_same, with_plain):
        frames = LENGTH // 2 if mode == "pingpong" else LENGTH
        shape, period = self.shape(source, words, mode, frames)
        # Rounds begin where those after the first do.
        first, total = shape["first"], shape["first"] + ROUNDS * period + TAIL
        order = (np.arange(total) - first) % (period if is_same else len(words.opening))
        spoken = words.spoken(order)
        output = self.folder / f"{source.stem}_{mode}.mp4"
        report = self.sync(source, spoken, output, "--end", frames / FPS, "--loop", mode)
        rounds = [(first + k * period, first + (k + 1) * period) for k in range(ROUNDS)]
        curve = opening(self.judge, output)
        found = dict(scores=scores(self.judge, curve, spoken.opening, rounds), shape=report["loop"]["shape"], plain=[])
        if with_plain:
            for start, end in rounds:
                listed = [shown(mode, frames, shape, at, total) for at in range(start, end)]
                found["plain"].append(self.plain(source, listed, words.spoken(order[start:end])))
        found["ratio"] = boundary(report, output, source)
        found["off_frames"] = (report["output"]["duration_ms"] - report["speech"]["duration_ms"]) * FPS / 1000
        return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--shared", required=True, type=Path)
    parser.add_argument("--viseme", default="target/release/viseme")
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--modes", nargs="+", default=MODES)
    parser.add_argument("--words", choices=["same", "running"], default="same")
    parser.add_argument("--no-plain", action="store_true")
    parser.add_argument("--boundaries", action="store_true")
    parser.add_argument("pairs", nargs="*", default=PAIRS)
    arguments = parser.parse_args()
    folder = arguments.keep or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    if arguments.boundaries:
        show_boundaries(arguments, folder)
    else:
        show_rounds(arguments, folder)


def files(arguments, pair):
    return (arguments.shared / "media" / f"{name}.mp4" for name in pair.split("="))


def show_boundaries(arguments, folder):
    for pair in arguments.pairs:
        source, speech = files(arguments, pair)
        for mode in arguments.modes:
            output = folder / "boundary.mp4"
            report = json.loads(run(arguments.viseme, "sync", source, speech, "-o", output, "--end", SHORT_S, "--loop", mode,
                                    "--crf", 12, "--preset", "ultrafast", "--quiet", "--json"))
            ratio, shape = boundary(report, output, source), report["loop"]["shape"]
            print(f"{source.stem} {mode}: boundary / p95 {ratio:.2f}; {shape}", flush=True)


def show_rounds(arguments, folder):
    sys.path.insert(0, str(arguments.shared / "judge"))
    import judge

    measurement = Measurement(judge, arguments.viseme, folder)
    rows = {mode: [] for mode in arguments.modes}
    for pair in arguments.pairs:
        source, truth = files(arguments, pair)
        words = Words(judge, truth, folder)
        for mode in arguments.modes:
            found = measurement.loop(source, words, mode, arguments.words == "same", not arguments.no_plain)
            rows[mode].append(found)
            text, plain = (" ".join(f"{score:.3f}" for score in found[name]) for name in ("scores", "plain"))
            print(f"{pair} {mode}: r {text}; plain {plain}; boundary / p95 {found['ratio']:.2f}; "
                  f"{found['off_frames']:+.2f} frames; {found['shape']}", flush=True)
    for mode, found in rows.items():
        of_first = max(abs(score - row["scores"][0]) for row in found for score in row["scores"])
        of_plain = max((abs(a - b) for row in found for a, b in zip(row["scores"], row["plain"])), default=float("nan"))
        print(f"{mode}: a round is off the first by at most {of_first:.3f}, off its plain job by {of_plain:.3f}; "
              f"worst boundary / p95 {max(row['ratio'] for row in found):.2f}")


if __name__ == "__main__":
    main()
