"""Jobs as such: made once, listed, called off, and refused."""

from __future__ import annotations

import asyncio
import pickle
from pathlib import Path
from uuid import uuid4

import pytest
from conftest import TOKEN, Server

from viseme import (
    AsyncViseme,
    ConnectionFailed,
    InvalidInput,
    JobFailed,
    NotFound,
    TimedOut,
    TooLarge,
    Unauthorized,
    Viseme,
    VisemeError,
)


def test_the_same_key_is_the_same_job(idle: Viseme, video: Path, audio: Path) -> None:
    key = uuid4().hex
    first = idle.submit(video, audio, idempotency_key=key, priority=3)
    assert (first.state, first.kind, first.priority) == ("queued", "lipsync", 3)
    assert idle.cancel(first.id).state == "cancelled"
    assert idle.submit(video, audio, idempotency_key=key, priority=3).id == first.id
    assert idle.submit(video, audio, priority=3).id != first.id
    with pytest.raises(VisemeError, match="another request"):
        idle.submit(video, audio, idempotency_key=key, engine="wav2lip")


def test_jobs_are_listed_page_by_page(idle: Viseme, video: Path, audio: Path) -> None:
    made = [idle.submit(video, audio, expression=number / 10).id for number in range(5)]
    listed = [job.id for job in idle.jobs(state="queued", kind="lipsync", page_size=2)]
    assert listed[:5] == made[::-1]
    assert len(set(listed)) == len(listed)
    assert list(idle.jobs(kind="score")) == []


def test_a_job_is_called_off_and_queued_anew(idle: Viseme, video: Path, audio: Path) -> None:
    job = idle.submit(video, audio, expression=1.1)
    with pytest.raises(VisemeError) as refused:
        idle.delete(job.id)
    assert (refused.value.code, refused.value.status) == ("conflict", 409)
    assert idle.cancel(job.id).state == "cancelled"
    with pytest.raises(JobFailed) as ended:
        idle.wait(job.id)
    assert (ended.value.code, ended.value.job.id) == ("cancelled", job.id)
    # Queues of tasks send errors from one process to another.
    assert pickle.loads(pickle.dumps(ended.value)).job == ended.value.job
    assert idle.retry(job.id).state == "queued"
    idle.cancel(job.id)
    idle.delete(job.id)
    with pytest.raises(NotFound):
        idle.job(job.id)


def test_a_job_that_runs_is_called_off(client: Viseme, video: Path, audio: Path) -> None:
    job = client.submit(video, audio, expression=1.2)
    client.cancel(job.id)
    with pytest.raises(JobFailed) as ended:
        client.wait(job.id, timeout=60)
    assert ended.value.job.state == "cancelled"


def test_waiting_ends_in_time(idle_server: Server, video: Path, audio: Path) -> None:
    async def run() -> None:
        async with AsyncViseme(idle_server.url, TOKEN) as client:
            job = await client.submit(video, audio, expression=1.3)
            with pytest.raises(TimedOut, match="has not ended in time"):
                await client.wait(job.id, timeout=0.3)
            # Whoever stops waiting leaves the job as it is.
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(client.wait(job.id), 0.5)
            assert (await client.job(job.id)).state == "queued"

    asyncio.run(run())


def test_errors_say_what_the_server_says(client: Viseme, video: Path, audio: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFound) as missing:
        client.job(str(uuid4()))
    assert (missing.value.status, missing.value.code) == (404, "not_found")
    assert missing.value.request_id
    assert vars(pickle.loads(pickle.dumps(missing.value))) == vars(missing.value)
    with pytest.raises(InvalidInput) as value:
        client.submit(video, audio, crossfade_frames=99)
    assert (value.value.status, value.value.param) == (422, "crossfade_frames")
    with pytest.raises(InvalidInput) as engine:
        client.submit(video, audio, engine="none")
    assert engine.value.hint is not None
    assert "native" in engine.value.hint
    text = tmp_path / "text.mp4"
    text.write_text("no video")
    with pytest.raises(InvalidInput) as content:
        client.submit(text, audio)
    assert (content.value.status, content.value.param) == (400, "video")
    with pytest.raises(InvalidInput) as address:
        client.submit("http://127.0.0.1/v.mp4", "http://127.0.0.1/a.wav")
    assert address.value.param == "video_url"


def test_files_that_are_too_large_are_refused(client: Viseme, video: Path, tmp_path: Path) -> None:
    large = tmp_path / "large.wav"
    large.write_bytes(bytes(3_000_000))
    with pytest.raises(TooLarge) as refused:
        client.submit(video, large)
    assert (refused.value.status, refused.value.param) == (413, "audio")


def test_the_server_says_how_it_is(client: Viseme) -> None:
    health = client.health()
    assert (health.status, bool(health.version)) == ("healthy", True)
    assert {engine.name: engine.ready for engine in health.engines}["native"]


def test_a_token_is_needed_and_opens_its_own_jobs(idle_server: Server, idle: Viseme) -> None:
    for token in (None, "another-token-of-nobody"):
        with Viseme(idle_server.url, token) as stranger, pytest.raises(Unauthorized) as refused:
            list(stranger.jobs())
        assert refused.value.status == 401
        assert refused.value.hint
    assert TOKEN not in repr(idle)


def test_a_server_that_is_not_there(video: Path, audio: Path) -> None:
    with Viseme("http://127.0.0.1:1") as nobody, pytest.raises(ConnectionFailed, match="viseme serve"):
        nobody.submit(video, audio)
