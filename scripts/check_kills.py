#!/usr/bin/env python3
"""Kills the server (SIGKILL, with all its children) at random moments of a lipsync job, starts it again, and checks that the job
completes and that its result is the same to the byte as that of a job that nobody disturbed.

    cargo build --release --bin viseme
    scripts/check_kills.py target/release/viseme VIDEO AUDIO [--kills 20] [--seed 1]

Needs Python alone.
"""

import argparse
import hashlib
import http.client
import json
import os
import pathlib
import random
import signal
import subprocess
import tempfile
import time


class Service:
    """A server on a folder that outlives it."""

    def __init__(self, binary, folder):
        self.process = subprocess.Popen(
            [binary, "serve", "--listen", "127.0.0.1:0", "--data", folder, "--lease", "2s", "--log", "error"],
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            env={**os.environ, "VISEME_CACHE_MB": "0"},
        )
        line = self.process.stderr.readline()
        self.port = int(line.rsplit(":", 1)[1])

    def call(self, method, path, body=None, headers={}):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read()

    def submit(self, video, audio, expression):
        boundary = "kills"
        body = b""
        for name, content in (("video", video), ("audio", audio)):
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n\r\n'
            body += head.encode() + content + b"\r\n"
        options = json.dumps({"expression": expression})
        body += f'--{boundary}\r\nContent-Disposition: form-data; name="options"\r\n\r\n{options}\r\n--{boundary}--\r\n'.encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        status, text = self.call("POST", "/v1/jobs", body, kind)
        assert status == 201, text
        return json.loads(text)["id"]

    def job(self, job):
        return json.loads(self.call("GET", f"/v1/jobs/{job}")[1])

    def wait(self, job):
        while True:
            state = self.job(job)
            if state["state"] == "completed":
                return state, hashlib.sha256(self.call("GET", f"/v1/jobs/{job}/result")[1]).hexdigest()
            assert state["state"] in ("queued", "running"), state
            time.sleep(0.05)

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("video", type=pathlib.Path)
    parser.add_argument("audio", type=pathlib.Path)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    video, audio = arguments.video.read_bytes(), arguments.audio.read_bytes()
    moments = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="viseme-kills-") as folder:
        service = Service(arguments.binary, folder)
        started = time.monotonic()
        expected = service.wait(service.submit(video, audio, 1.0))[1]
        length = time.monotonic() - started
        print(f"undisturbed: {length:.1f} s, {expected[:16]}")
        service.kill()
        wrong = 0
        for kill in range(arguments.kills):
            # A folder of its own: the same content would be answered with the same job.
            with tempfile.TemporaryDirectory(prefix="viseme-kills-") as folder:
                service = Service(arguments.binary, folder)
                job = service.submit(video, audio, 1.0)
                moment = moments.uniform(0, length)
                time.sleep(moment)
                before = service.job(job)
                service.kill()
                service = Service(arguments.binary, folder)
                state, found = service.wait(job)
                service.kill()
                stage = (before["progress"] or {}).get("stage", before["state"])
                wrong += found != expected
                same = "same" if found == expected else "DIFFERENT"
                print(f"kill {kill + 1}: at {moment:.2f} s ({stage}), {state['tries']} tries, {same}", flush=True)
    print(f"{arguments.kills - wrong} of {arguments.kills} the same to the byte")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
