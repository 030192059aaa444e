#!/usr/bin/env python3
"""How the service bears load: jobs at once beside the same jobs one after another, the answer time of /health meanwhile, memory for
each further job, and a long queue that is listed and drained.

    cargo build --release --bin viseme
    scripts/load_service.py target/release/viseme VIDEO AUDIO [--jobs 8] [--at-once 2] [--queue 1000]

Needs Python alone. Prints one line for each figure.
"""

import argparse
import http.client
import http.server
import json
import pathlib
import subprocess
import tempfile
import threading
import time


class Service:
    """A server of our own, in a folder that goes with it."""

    def __init__(self, binary, workers, *more):
        self.folder = tempfile.TemporaryDirectory(prefix="viseme-load-")
        command = [binary, "serve", "--listen", "127.0.0.1:0", "--data", self.folder.name, "--log", "error"]
        started = time.monotonic()
        self.process = subprocess.Popen(
            [*command, "--workers", str(workers), *more], stderr=subprocess.PIPE, text=True
        )
        line = self.process.stderr.readline()
        self.port = int(line.rsplit(":", 1)[1])
        threading.Thread(target=self.process.stderr.read, daemon=True).start()
        while self.call("GET", "/health/ready")[0] != 200:
            time.sleep(0.002)
        self.ready_s = time.monotonic() - started

    def call(self, method, path, body=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text) if text.startswith(b"{") else text

    def submit(self, source, expression):
        request = {"video_url": f"{source}/video", "audio_url": f"{source}/audio", "expression": expression}
        status, job = self.call("POST", "/v1/jobs", {"kind": "lipsync", "input": request})
        assert status == 201, job
        return job["id"]

    def wait(self, jobs):
        for job in jobs:
            while True:
                state = self.call("GET", f"/v1/jobs/{job}")[1]
                if state["state"] == "completed":
                    break
                assert state["state"] in ("queued", "running"), state
                time.sleep(0.05)

    def memory_mb(self):
        """The server and its children, shared pages counted once each (PSS)."""
        total = 0
        for folder in pathlib.Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
                if int(folder.name) != self.process.pid and parent != self.process.pid:
                    continue
                lines = (folder / "smaps_rollup").read_text().splitlines()
                total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
            except (OSError, StopIteration):
                continue
        return total / 1000

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()


class Watch(threading.Thread):
    """Asks /health again and again, and notes how long it takes and how much memory there is."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.service, self.took, self.memory, self.is_over = service, [], 0.0, False

    def run(self):
        while not self.is_over:
            started = time.monotonic()
            status, _ = self.service.call("GET", "/health")
            self.took.append(time.monotonic() - started)
            assert status == 200
            if len(self.took) % 5 == 0:
                self.memory = max(self.memory, self.service.memory_mb())
            time.sleep(0.05)

    def end(self):
        self.is_over = True
        self.join()
        return sorted(self.took)


def serve_files(files):
    class Files(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            content = files[self.path]
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_port


def run(arguments, source, workers, jobs, one_by_one):
    service = Service(arguments.binary, workers, "--allow-host", source.removeprefix("http://"))
    service.wait([service.submit(source, 0.5)])
    watch = Watch(service)
    watch.start()
    started = time.monotonic()
    # Each job is another one, so that no result stands for two.
    expressions = [1 - number / 1000 for number in range(jobs)]
    if one_by_one:
        for expression in expressions:
            service.wait([service.submit(source, expression)])
    else:
        service.wait([service.submit(source, expression) for expression in expressions])
    took, answers = time.monotonic() - started, watch.end()
    memory, ready = watch.memory, service.ready_s
    service.stop()
    return took, answers, memory, ready


def drain(arguments, source):
    service = Service(arguments.binary, arguments.at_once, "--allow-host", source.removeprefix("http://"))
    watch = Watch(service)
    watch.start()
    started = time.monotonic()
    jobs = [service.submit(source, 1 - number / (2 * arguments.queue)) for number in range(arguments.queue)]
    queued = time.monotonic() - started
    started, listed, after = time.monotonic(), 0, ""
    while after is not None:
        page = service.call("GET", f"/v1/jobs?limit=500&after={after}")[1]
        listed, after = listed + len(page["jobs"]), page["next"]
    listing = time.monotonic() - started
    assert listed == len(jobs)
    service.wait(jobs)
    answers = watch.end()
    print(f"{len(jobs)} jobs queued in {queued:.1f} s, listed in {listing * 1000:.0f} ms,", end=" ")
    print(f"drained in {time.monotonic() - started:.0f} s, /health p99 {percentile(answers, 0.99):.0f} ms")
    service.stop()


def percentile(values, share):
    return 1000 * values[min(len(values) - 1, int(share * len(values)))]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("video", type=pathlib.Path)
    parser.add_argument("audio", type=pathlib.Path)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--at-once", type=int, default=2, help="workers while the jobs come together")
    parser.add_argument("--queue", type=int, default=0, help="also queue, list and drain so many jobs")
    arguments = parser.parse_args()
    files = {"/video": arguments.video.read_bytes(), "/audio": arguments.audio.read_bytes()}
    source = f"http://127.0.0.1:{serve_files(files)}"
    alone, quiet, memory_alone, ready = run(arguments, source, 1, arguments.jobs, True)
    together, busy, memory, _ = run(arguments, source, arguments.at_once, arguments.jobs, False)
    print(f"ready after {1000 * ready:.0f} ms")
    print(f"{arguments.jobs} jobs: {alone:.1f} s one after another, {together:.1f} s together: {together / alone:.2f}")
    for name, answers in (("one by one", quiet), ("together", busy)):
        figures = ", ".join(f"p{share:g} {percentile(answers, share / 100):.0f} ms" for share in (50, 99, 100))
        print(f"/health, {name}: {figures} of {len(answers)}")
    more = (memory - memory_alone) / max(1, arguments.at_once - 1)
    print(f"memory: {memory_alone:.0f} MB with one job, {memory:.0f} MB with {arguments.at_once}: {more:.0f} MB for each more")
    if arguments.queue:
        drain(arguments, source)


if __name__ == "__main__":
    main()
