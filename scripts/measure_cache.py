#!/usr/bin/env python3
"""Measures what the analysis cache saves: a second speech on the same video against the first, by the clock.

Every clip is synced to one speech with an empty cache and then to another, in rounds. Both speeches should be longer than the clips, so
that all frames are shown in both jobs (`--loop none` ends them with the clip).

  measure_cache.py [--rounds N] BINARY SPEECH OTHER_SPEECH CLIP … [-- OPTION_OF_SYNC …]
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def sync(binary, clip, speech, options, folder):
    command = [binary, "sync", clip, speech, "-o", folder / "out.mp4", "--loop", "none", "--json", "--quiet", *options]
    environment = {**os.environ, "VISEME_CACHE_DIR": str(folder / "cache")}
    started = time.monotonic()
    report = json.loads(subprocess.run(command, check=True, capture_output=True, env=environment).stdout)
    return time.monotonic() - started, report


def measure(arguments, options, clip):
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        first, one = sync(arguments.binary, clip, arguments.speech, options, folder)
        second, other = sync(arguments.binary, clip, arguments.other, options, folder)
    frames = [report["output"]["frames_written"] for report in (one, other)]
    used = one["analysis_cache"], other["analysis_cache"]
    if used != ("miss", "hit") or frames[0] != frames[1]:
        sys.exit(f"{clip}: cache {used}, frames {frames}: not to be compared")
    print("%s, %d frames: %.2f -> %.2f s, %.2f" % (clip.stem, frames[0], first, second, second / first), flush=True)
    return second / first


def main():
    own, options = sys.argv[1:], []
    if "--" in own:
        end = own.index("--")
        own, options = own[:end], own[end + 1 :]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("binary", type=Path)
    parser.add_argument("speech", type=Path)
    parser.add_argument("other", type=Path)
    parser.add_argument("clips", nargs="+", type=Path)
    arguments = parser.parse_args(own)
    found = {clip: [] for clip in arguments.clips}
    for _ in range(arguments.rounds):
        for clip in arguments.clips:
            found[clip].append(measure(arguments, options, clip))
    for clip, ratios in found.items():
        print("%s: median %.2f" % (clip.stem, statistics.median(ratios)))


if __name__ == "__main__":
    main()
