#!/usr/bin/env python3
"""Measures what settings of x264 cost: processor time, size and closeness to the frames that the encoder gets.

The first three seconds of each clip are decoded and encoded with the options that Viseme gives x264. The last setting is the default. The
first is the one that the others are held against. Processor time is the least of two runs.

  measure_encoder.py [--settings PRESET:CRF[:PARAMETER=VALUE…] …] CLIP …
"""
import argparse
import re
import resource
import statistics
import subprocess
import tempfile
from pathlib import Path

# As crates/media/viseme-media/src/encoder_options.rs has them.
PARAMETERS = "threads=2:sliced-threads=1:rc-lookahead=5:sync-lookahead=0"
SETTINGS = ["medium:18", "faster:17", "veryfast:16", "veryfast:16:partitions=i4x4,i8x8"]
SECONDS = 3


def ffmpeg(*arguments):
    command = ["ffmpeg", "-hide_banner", "-y", *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stderr


def processor_s(work):
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime

    before = used()
    work()
    return used() - before


def measure(frames, setting, folder):
    preset, crf, *more = setting.split(":")
    output = folder / "encoded.mp4"
    parameters = ":".join([PARAMETERS, *more])
    options = ["-c:v", "libx264", "-x264-params", parameters, "-preset", preset, "-crf", crf]
    seconds = min(processor_s(lambda: ffmpeg("-i", frames, *options, output)) for _ in range(2))
    said = ffmpeg("-i", output, "-i", frames, "-lavfi", "[0][1]psnr;[0][1]ssim", "-f", "null", "-")
    psnr = float(re.search(r"PSNR y:([\d.]+)", said)[1])
    ssim = float(re.search(r"SSIM Y:[\d.]+ \(([\d.]+)\)", said)[1])
    return seconds, output.stat().st_size, psnr, ssim


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", nargs="+", default=SETTINGS)
    parser.add_argument("clips", nargs="+", type=Path)
    arguments = parser.parse_args()
    found = {setting: [] for setting in arguments.settings}
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        for clip in arguments.clips:
            frames = folder / "frames.y4m"
            ffmpeg("-i", clip, "-t", SECONDS, "-an", "-pix_fmt", "yuv420p", frames)
            first = None
            for setting in arguments.settings:
                made = measure(frames, setting, folder)
                first = first or made
                row = made[0] / first[0], made[1] / first[1], made[2] - first[2], made[3] - first[3]
                found[setting].append(row)
                print("%s %s: time %.2f, size %.2f, PSNR %+.2f dB, SSIM %+.2f dB" % (clip.stem, setting, *row), flush=True)
    for setting, rows in found.items():
        middle = tuple(statistics.median(column) for column in zip(*rows))
        print("%s, medians: time %.2f, size %.2f, PSNR %+.2f dB, SSIM %+.2f dB" % (setting, *middle))


if __name__ == "__main__":
    main()
