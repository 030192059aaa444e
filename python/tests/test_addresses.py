"""Jobs of addresses, which the server fetches: one, and many together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from conftest import Server

from viseme import Batch, BatchJob, InvalidInput, Viseme


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def files(media: Path) -> Iterator[str]:
    """The address under which the clips can be fetched."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Files, directory=str(media)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def fetching(files: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Viseme]:
    """A server that may fetch them."""
    host = files.split("//")[1]
    server = Server(tmp_path_factory.mktemp("fetching"), "--workers", "1", "--allow-host", host, "--allow-http")
    server.wait_until_ready()
    with Viseme(server.url) as client:
        yield client
    server.stop()


def test_addresses_become_a_video(fetching: Viseme, files: str, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    result = fetching.lipsync(f"{files}/video.mp4", f"{files}/audio.wav", output=output, loop_mode="none")
    assert output.stat().st_size == result.output.file_size_bytes
    found = fetching.faces(f"{files}/video.mp4", sample_fps=2)
    assert (found.frame_width, found.frame_height, len(found.frames)) == (1280, 720, 4)
    assert [(face.character_id, face.syncable) for face in found.frames[0].faces] == [("face_1", True)]


def test_one_of_a_batch_that_fails_stops_no_other(fetching: Viseme, files: str) -> None:
    good: BatchJob = {"video": f"{files}/video.mp4", "audio": f"{files}/audio.wav", "loop_mode": "none"}
    bad: BatchJob = {"video": f"{files}/no.mp4", "audio": f"{files}/audio.wav"}
    changes: list[Batch] = []
    batch = fetching.batch([bad, good], wait_timeout=120, on_change=changes.append, max_tries=1)
    assert (batch.status, batch.is_final) == ("completed", True)
    assert [item.status for item in batch.results] == ["failed", "success"]
    failed, made = batch.results
    assert failed.error is not None
    assert failed.error.message
    assert (made.method_used, made.cost_usd) == ("native", 0.0)
    assert made.duration == pytest.approx(2.0, abs=0.1)
    summary = batch.summary
    assert (summary.total, summary.success, summary.failed, summary.pending) == (2, 1, 1, 0)
    assert changes[-1] == batch
    assert fetching.get_batch(batch.id).summary == summary
    with pytest.raises(InvalidInput) as refused:
        fetching.batch([good, {**bad, "crossfade_frames": 99}])
    assert refused.value.param == "jobs[1].crossfade_frames"
    with pytest.raises(InvalidInput, match="job 0"):
        fetching.batch([{"video": "video.mp4", "audio": "audio.wav"}])
