"""The main job, from end to end."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from pathlib import Path
from typing import Any, Optional

import pytest
from conftest import Server

from viseme import AsyncViseme, Face, InvalidInput, JobFailed, LipsyncResult, NotFound, Viseme


def facts_of(path: Path) -> dict[str, Any]:
    probe = ["ffprobe", "-v", "error", "-show_entries", "stream=codec_name,width,height", "-of", "json", str(path)]
    facts: dict[str, Any] = json.loads(subprocess.run(probe, check=True, capture_output=True).stdout)
    return facts


def check(result: LipsyncResult, output: Path, steps: list[tuple[str, int, Optional[int]]]) -> None:
    assert result.path == output
    assert output.stat().st_size == result.output.file_size_bytes
    assert [stream["codec_name"] for stream in facts_of(output)["streams"]] == ["h264", "aac"]
    assert (result.output.width, result.output.height) == (1280, 720)
    assert 1900 <= result.output.duration_ms <= 2100
    assert result.method_used == "native"
    face = result.faces.results[0]
    assert face.success
    assert face.segments[0].synced
    assert face.segments[0].avg_bbox is not None
    assert face.summary.synced_ms > 1500
    assert result.timing.lipsync_ms > 0
    assert all(warning.code and warning.message for warning in result.warnings)
    assert steps
    assert all(isinstance(stage, str) and done >= 0 for stage, done, _ in steps)
    assert os.listdir(output.parent) == [output.name], "nothing else is left"


def test_files_become_a_video(client: Viseme, video: Path, audio: Path, tmp_path: Path) -> None:
    output, steps = tmp_path / "out.mp4", []
    result = client.lipsync(
        str(video), audio, output=output, on_progress=lambda *step: steps.append(step), loop_mode="none", expression=0.9
    )
    check(result, output, steps)
    job = client.job(result.job_id)
    assert job.state == "completed"
    assert job.started_at is not None
    assert job.finished_at is not None
    assert job.created_at <= job.started_at < job.finished_at
    again = client.download(job.id, tmp_path / "again.mp4")
    assert again.read_bytes() == output.read_bytes()
    client.delete(job.id)
    with pytest.raises(NotFound):
        client.download(job.id, output)


def test_the_same_with_asyncio(server: Server, video: Path, audio: Path, tmp_path: Path) -> None:
    output, steps = tmp_path / "out.mp4", []

    async def run() -> LipsyncResult:
        async with AsyncViseme(server.url) as client:
            made = await client.lipsync(
                video, audio, output=output, on_progress=lambda *step: steps.append(step), loop_mode="none", expression=0.8
            )
            assert made.job_id in [job.id async for job in client.jobs(state="completed", page_size=1)]
            return made

    check(asyncio.run(run()), output, steps)


def test_faces_that_are_named_beforehand_speak(client: Viseme, video: Path, audio: Path) -> None:
    named = Face("presenter", (507.0, 206.0, 299.0, 365.0))
    result = client.lipsync(video, audio, faces=[named], expression=0.7)
    assert [(face.character_id, face.success) for face in result.faces.results] == [("presenter", True)]
    assert result.path is None


def test_what_cannot_be_done_is_a_failed_job(client: Viseme, video: Path, audio: Path, tmp_path: Path) -> None:
    with pytest.raises(JobFailed) as failed:
        client.lipsync(video, audio, output=tmp_path / "out.mp4", engine="wav2lip", max_tries=1)
    assert failed.value.job.state == "failed"
    assert failed.value.code == "model_missing"
    assert "viseme models" in str(failed.value)
    assert os.listdir(tmp_path) == []


def test_files_that_are_not_there_are_missed_before_anything_is_sent(video: Path, audio: Path, tmp_path: Path) -> None:
    with Viseme("http://127.0.0.1:1") as nobody:
        with pytest.raises(FileNotFoundError, match=r"no\.mp4"):
            nobody.lipsync(tmp_path / "no.mp4", audio)
        with pytest.raises(FileNotFoundError, match="nowhere"):
            nobody.lipsync(video, audio, output=tmp_path / "nowhere" / "out.mp4")
        with pytest.raises(InvalidInput, match="cannot be mixed"):
            nobody.lipsync(video, "https://example.com/a.wav")
        with pytest.raises(TypeError, match="no option 'engin'"):
            nobody.lipsync(video, audio, engin="native")  # type: ignore[call-arg]


def test_the_faces_of_a_file_are_found(client: Viseme, video: Path) -> None:
    found = client.faces(video, sample_fps=2, start_time_ms=500)
    assert (len(found.frames), found.frames[0].timestamp_ms) == (3, 500)
    assert (found.frame_width, found.frame_height, found.sample_fps) == (1280, 720, 2.0)
    face = found.frames[0].faces[0]
    assert (face.character_id, face.syncable, face.skip_reason) == ("face_1", True, None)
    with pytest.raises(InvalidInput) as refused:
        client.faces(video, sample_fps=0)
    assert refused.value.param == "sample_fps"


def test_a_video_is_measured(client: Viseme, video: Path, audio: Path) -> None:
    own = client.score(video)
    other = client.score(video, audio)
    for score in (own, other):
        assert score.video_quality is not None
        assert 0 <= score.video_quality <= 1
        assert score.audio_quality is None or 0 <= score.audio_quality <= 1
        assert score.sync_score is None or 0 <= score.sync_score <= 1
    assert own.report != other.report
