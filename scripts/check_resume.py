#!/usr/bin/env python3
"""Kills `viseme sync --resume` with signal 9 at random moments, runs it again, and compares the bytes of the result.

    scripts/check_resume.py VIDEO AUDIO [--viseme PATH] [--kills 20] [--seed 1] [--every FRAMES] [-- OPTIONS OF SYNC]

First the job is run unbroken, with `--resume` in a folder of its own. Then so many jobs are killed once each, at moments
spread at random over the time that took, and run to their end. At last one job is killed so often on its way. Any result
that is not the unbroken one to the byte, and anything that is left beside it, is a failure. Exit code 0 when there is none.
"""

import argparse
import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path


class Job:
    """A job in a folder of its own."""

    def __init__(self, arguments, root, name):
        self.folder = Path(root) / name
        (self.folder / "out").mkdir(parents=True)
        self.output = self.folder / "out" / f"out{arguments.container}"
        self.kept = self.folder / "kept"
        self.command = [arguments.viseme, "sync", arguments.video, arguments.audio, "-o", str(self.output)]
        self.command += ["--resume", str(self.kept), "--no-cache", "--json", *arguments.options]
        if arguments.every:
            self.command += ["--resume-every", str(arguments.every)]
        self.log = open(self.folder / "log", "wb")

    def killed_after(self, seconds):
        """Runs the job and kills it; says how far it had come, or None when it was done before."""
        child = subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=self.log)
        try:
            child.wait(seconds)
            return None
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()
        chunks = self.kept / "chunks"
        whole = [entry for entry in os.listdir(chunks) if len(entry) == 64] if chunks.is_dir() else []
        return len(whole)

    def finish(self):
        """Runs the job to its end; its report, and the hash of the result."""
        ended = subprocess.run(self.command, stdout=subprocess.PIPE, stderr=self.log, check=False)
        if ended.returncode != 0:
            sys.exit(f"{self.folder.name}: exit code {ended.returncode}, see {self.log.name}")
        left = [name for name in os.listdir(self.output.parent) if name != self.output.name] + os.listdir(self.kept)
        if left:
            sys.exit(f"{self.folder.name}: {left} were left")
        return json.loads(ended.stdout), hashlib.sha256(self.output.read_bytes()).hexdigest()


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video")
    parser.add_argument("audio")
    parser.add_argument("--viseme", default="target/debug/viseme")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=0, help="frames of a chunk; 0 is what the program does by itself")
    parser.add_argument("--container", default=".mp4")
    parser.add_argument("options", nargs="*", help="options of sync, after --")
    return parser.parse_args()


def main():
    arguments = parse()
    chance = random.Random(arguments.seed)
    root = tempfile.mkdtemp(prefix="check-resume-")
    start = time.monotonic()
    report, wanted = Job(arguments, root, "unbroken").finish()
    whole_s = time.monotonic() - start
    output = report["output"]
    print(f"unbroken: {output['frames_written']} frames in {whole_s:.1f} s, {output['size_bytes']} bytes, {wanted[:16]}")
    failures = 0

    def judge(name, report, digest, told):
        nonlocal failures
        failures += digest != wanted
        verdict = "the same" if digest == wanted else f"ANOTHER: {digest[:16]}"
        print(f"{name}: {told}, {report['frames_resumed']} frames from before; {verdict}", flush=True)

    for kill in range(arguments.kills):
        job = Job(arguments, root, f"job-{kill:02}")
        moment_s = chance.uniform(0, whole_s)
        chunks = job.killed_after(moment_s)
        told = "done before the kill" if chunks is None else f"killed after {moment_s:.2f} s with {chunks} whole chunks"
        judge(job.folder.name, *job.finish(), told)
        shutil.rmtree(job.folder)
    job, kills = Job(arguments, root, "many"), 0
    while kills < arguments.kills and job.killed_after(chance.uniform(0, whole_s)) is not None:
        kills += 1
    judge("many", *job.finish(), f"killed {kills} times on its way")
    shutil.rmtree(root)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
