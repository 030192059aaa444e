"""The real server, and a clip of two seconds to send to it."""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Optional

import httpx
import pytest

from viseme import Viseme

REPOSITORY = Path(__file__).parents[2]
TOKEN = "a-token-for-the-tests"


def _binary() -> Optional[Path]:
    """Where the server is: what VISEME_BINARY names, else what cargo has built last."""
    named = os.environ.get("VISEME_BINARY")
    if named:
        return Path(named)
    built = [REPOSITORY / "target" / profile / "viseme" for profile in ("release", "debug")]
    return max((path for path in built if path.is_file()), key=lambda path: path.stat().st_mtime, default=None)


class Server:
    """A server of the tests, in a folder of its own."""

    def __init__(self, folder: Path, *more: str) -> None:
        binary = _binary()
        if binary is None:
            pytest.skip("the server is not built: cargo build --bin viseme")
        command = [str(binary), "serve", "--listen", "127.0.0.1:0", "--data", str(folder), "--log", "error", *more]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self._process.stderr is not None
        line = self._process.stderr.readline()
        assert "listening on" in line, line
        self.url = line.split()[-1]
        threading.Thread(target=self._process.stderr.read, daemon=True).start()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 120
        while httpx.get(f"{self.url}/health/ready").status_code != 200:
            assert time.monotonic() < deadline, "the server does not become ready"
            time.sleep(0.05)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(60)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server with one worker, and limits that a test can reach."""
    server = Server(tmp_path_factory.mktemp("server"), "--workers", "1", "--max-audio", "1", "--grace", "0:01")
    server.wait_until_ready()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def idle_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that takes jobs and does none, and wants a token."""
    server = Server(tmp_path_factory.mktemp("idle"), "--workers", "0", "--token", f"tests={TOKEN}")
    server.wait_until_ready()
    yield server
    server.stop()


@pytest.fixture
def client(server: Server) -> Iterator[Viseme]:
    with Viseme(server.url) as client:
        yield client


@pytest.fixture
def idle(idle_server: Server) -> Iterator[Viseme]:
    with Viseme(idle_server.url, TOKEN) as client:
        yield client


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of the demo: ``video.mp4`` and ``audio.wav``."""
    if shutil.which("ffmpeg") is None:
        pytest.skip("ffmpeg is not installed")
    folder = tmp_path_factory.mktemp("media")
    for source, target in (("presenter.mp4", "video.mp4"), ("speech.wav", "audio.wav")):
        shorten = ["ffmpeg", "-v", "error", "-i", f"{REPOSITORY}/demo/{source}", "-t", "2", "-preset", "ultrafast"]
        subprocess.run([*shorten, str(folder / target)], check=True)
    return folder


@pytest.fixture(scope="session")
def video(media: Path) -> Path:
    return media / "video.mp4"


@pytest.fixture(scope="session")
def audio(media: Path) -> Path:
    return media / "audio.wav"
