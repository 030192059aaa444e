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
        """Runs the job to its end; the frames it need not make, and the hash of the result."""
        ended = subprocess.run(self.command, stdout=subprocess.PIPE, stderr=self.log, check=False)
        if ended.returncode != 0:
            sys.exit(f"{self.folder.name}: exit code {ended.returncode}, see {self.log.name}")
        return json.loads(ended.stdout)["frames_resumed"], self.digest()

    def digest(self):
        """The hash of the result, when there is nothing else."""
        left = [name for name in os.listdir(self.output.parent) if name != self.output.name] + os.listdir(self.kept)
        if left:
            sys.exit(f"{self.folder.name}: {left} were left")
        return hashlib.sha256(self.output.read_bytes()).hexdigest()


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("video")
    parser.add_argument("audio")
    parser.add_argument("--viseme", default="target/debug/viseme")
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=0, help="frames of a chunk; 0 is what the program does by itself")
    parser.add_argument("--container", default=".mp4")
    words = sys.argv[1:]
    place = words.index("--") if "--" in words else len(words)
    return parser.parse_args(words[:place], argparse.Namespace(options=words[place + 1 :]))


def main():
    arguments = parse()
    chance = random.Random(arguments.seed)
    root = tempfile.mkdtemp(prefix="check-resume-")
    start = time.monotonic()
    unbroken = Job(arguments, root, "unbroken")
    wanted = unbroken.finish()[1]
    whole_s = time.monotonic() - start
    print(f"unbroken: {whole_s:.1f} s, {unbroken.output.stat().st_size} bytes, {wanted[:16]}", flush=True)
    failures = 0

    def judge(name, resumed, digest, told):
        nonlocal failures
        failures += digest != wanted
        verdict = "the same" if digest == wanted else f"ANOTHER: {digest[:16]}"
        print(f"{name}: {told}, {resumed} frames from before; {verdict}", flush=True)

    kills = 0
    while kills < arguments.kills:
        job = Job(arguments, root, f"job-{kills:02}")
        moment_s = chance.uniform(0, whole_s)
        chunks = job.killed_after(moment_s)
        if chunks is not None:
            kills += 1
            judge(job.folder.name, *job.finish(), f"killed after {moment_s:.2f} s with {chunks} whole chunks")
        shutil.rmtree(job.folder)
    job, kills = Job(arguments, root, "many"), 0
    # Early enough that a run seldom reaches the end from its start, late enough that it gets on.
    while kills < arguments.kills and job.killed_after(chance.uniform(0, whole_s / 2)) is not None:
        kills += 1
    told = f"killed {kills} times on its way"
    if kills == arguments.kills:
        judge("many", *job.finish(), told)
    else:
        judge("many", "all", job.digest(), told)
    shutil.rmtree(root)
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
