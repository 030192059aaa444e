"""Three calls for programs that want a video and not a choice of engines: make one, make many, how good is it.

The server is named by the environment: ``VISEME_URL`` and ``VISEME_TOKEN``. Outputs whose names say no folder lie in
``LIPSYNC_OUTPUT_DIR`` where that is set.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Optional

from . import options
from .client import BASE_URL, AsyncViseme
from .errors import NotFound, TimedOut, VisemeError
from .options import Source

#: Jobs of a batch that are sent and waited for at a time.
_AT_A_TIME = 4


class LipsyncService:
    """The three calls. Each opens connections of its own, so that it may be called from any event loop."""

    def __init__(self, base_url: str, token: Optional[str] = None) -> None:
        self._base_url, self._token = base_url, token

    def _client(self) -> AsyncViseme:
        return AsyncViseme(self._base_url, self._token)

    async def generate_lipsync(
        self, video_path: Source, audio_path: Source, output_path: Source, method: str = "auto"
    ) -> dict[str, Any]:
        """Moves the lips of a video to a speech.

        Gives ``status`` ("success"), ``output_path``, ``method_used``, ``duration`` (s) and ``cost_usd``.

        Raises FileNotFoundError for a missing input, TimeoutError where it took too long, RuntimeError for everything else.
        """
        output = _output(output_path)
        async with self._client() as client:
            try:
                made = await client.lipsync(video_path, audio_path, output=output, engine=method)
            except VisemeError as error:
                raise _builtin(error) from error
        return {
            "status": "success",
            "output_path": str(output),
            "method_used": made.method_used,
            "duration": made.output.duration_ms / 1000,
            "cost_usd": made.cost_usd,
        }

    async def batch_generate_lipsync(
        self,
        video_audio_pairs: Sequence[tuple[Source, Source]],
        output_paths: Sequence[Source],
        method: str = "auto",
    ) -> dict[str, Any]:
        """Makes many videos. One that fails stops no other: its result has ``status`` "failed" and ``error``.

        Gives ``status`` ("completed"), ``results`` in the order of the pairs, and ``summary`` (``total``, ``success``,
        ``failed``, ``total_duration``, ``total_cost_usd``). Raises ValueError where there are not as many outputs as pairs.
        """
        if len(video_audio_pairs) != len(output_paths):
            raise ValueError(f"{len(video_audio_pairs)} pairs and {len(output_paths)} outputs")
        free = asyncio.Semaphore(_AT_A_TIME)

        async def one(video: Source, audio: Source, output: Source) -> dict[str, Any]:
            async with free:
                try:
                    return await self.generate_lipsync(video, audio, output, method)
                except (OSError, RuntimeError) as error:
                    failed = {"status": "failed", "output_path": str(_output(output)), "error": str(error)}
                    return {**failed, "method_used": method, "duration": 0.0, "cost_usd": 0.0}

        jobs = (one(video, audio, output) for (video, audio), output in zip(video_audio_pairs, output_paths))
        results = await asyncio.gather(*jobs)
        success = sum(result["status"] == "success" for result in results)
        summary = {
            "total": len(results),
            "success": success,
            "failed": len(results) - success,
            "total_duration": sum(result["duration"] for result in results),
            "total_cost_usd": sum(result["cost_usd"] for result in results),
        }
        return {"status": "completed", "results": results, "summary": summary}

    async def check_lipsync_quality(self, output_path: Source) -> dict[str, Any]:
        """How good a video is: ``sync_score``, ``audio_quality`` and ``video_quality``, each 0 to 1.

        One that cannot be measured is None; ``missing`` says why. Raises as generate_lipsync.
        """
        async with self._client() as client:
            try:
                score = await client.score(_output(output_path))
            except VisemeError as error:
                raise _builtin(error) from error
        return {
            "sync_score": score.sync_score,
            "audio_quality": score.audio_quality,
            "video_quality": score.video_quality,
            "missing": score.report.get("missing", []),
        }


@lru_cache(maxsize=None)
def get_lipsync_service() -> LipsyncService:
    """The service of this process, made when it is first asked for."""
    return LipsyncService(os.environ.get("VISEME_URL") or BASE_URL, os.environ.get("VISEME_TOKEN") or None)


def _output(path: Source) -> Source:
    folder = os.environ.get("LIPSYNC_OUTPUT_DIR")
    if not folder or options.is_url(path) or Path(path).parent != Path():
        return path
    # "./name" says a folder as well, which pathlib does not tell.
    return path if os.path.dirname(path) else Path(folder, path)


def _builtin(error: VisemeError) -> Exception:
    if isinstance(error, NotFound) or error.code == "not_found":
        return FileNotFoundError(str(error))
    if isinstance(error, TimedOut) or error.code == "timed_out":
        return TimeoutError(str(error))
    return RuntimeError(str(error))
