"""The three calls, in the words of the document that describes them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from conftest import Server

from viseme import LipsyncService, get_lipsync_service


@pytest.fixture
def service(server: Server, monkeypatch: pytest.MonkeyPatch) -> LipsyncService:
    monkeypatch.setenv("VISEME_URL", server.url)
    monkeypatch.delenv("VISEME_TOKEN", raising=False)
    get_lipsync_service.cache_clear()
    return get_lipsync_service()


def test_there_is_one_service(service: LipsyncService) -> None:
    assert get_lipsync_service() is service


def test_a_video_is_made_and_measured(service: LipsyncService, video: Path, audio: Path, tmp_path: Path) -> None:
    output = str(tmp_path / "out.mp4")
    made = asyncio.run(service.generate_lipsync(str(video), str(audio), output, method="auto"))
    assert set(made) == {"status", "output_path", "method_used", "duration", "cost_usd"}
    assert (made["status"], made["output_path"], made["method_used"], made["cost_usd"]) == ("success", output, "native", 0.0)
    assert made["duration"] == pytest.approx(2.0, abs=0.1)
    assert Path(output).stat().st_size > 10_000
    quality = asyncio.run(service.check_lipsync_quality(output))
    assert set(quality) == {"sync_score", "audio_quality", "video_quality", "missing"}
    for name in ("sync_score", "audio_quality", "video_quality"):
        assert quality[name] is None or 0 <= quality[name] <= 1


def test_one_that_fails_stops_no_other(
    service: LipsyncService, video: Path, audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LIPSYNC_OUTPUT_DIR", str(tmp_path))
    pairs = [(video, audio), (tmp_path / "no.mp4", audio)]
    done: dict[str, Any] = asyncio.run(service.batch_generate_lipsync(pairs, ["a.mp4", "b.mp4"], "native"))
    assert done["status"] == "completed"
    assert [result["status"] for result in done["results"]] == ["success", "failed"]
    assert "no.mp4" in done["results"][1]["error"]
    summary = done["summary"]
    assert (summary["total"], summary["success"], summary["failed"], summary["total_cost_usd"]) == (2, 1, 1, 0.0)
    assert summary["total_duration"] == done["results"][0]["duration"]
    assert (tmp_path / "a.mp4").is_file()
    with pytest.raises(ValueError, match="2 pairs and 1 outputs"):
        asyncio.run(service.batch_generate_lipsync(pairs, ["a.mp4"], "native"))


def test_errors_are_those_of_python(service: LipsyncService, video: Path, audio: Path, tmp_path: Path) -> None:
    output = tmp_path / "out.mp4"
    with pytest.raises(FileNotFoundError):
        asyncio.run(service.generate_lipsync(tmp_path / "no.mp4", audio, output))
    with pytest.raises(RuntimeError, match="viseme models"):
        asyncio.run(service.generate_lipsync(video, audio, output, method="wav2lip"))
    with pytest.raises(RuntimeError, match="heygen"):
        asyncio.run(service.generate_lipsync(video, audio, output, method="heygen"))
    assert not output.exists()
