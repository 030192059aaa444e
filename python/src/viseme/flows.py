"""Every operation, as a flow of steps."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Optional, TypeVar

import httpx

from . import decode, errors, options
from .download import download, writable
from .events import Events
from .models import Batch, FacesResult, Health, Job, JobPage, LipsyncResult, Progress, ScoreResult
from .options import Source
from .retry import call
from .steps import Flow, Open, Read, Send, Sleep

T = TypeVar("T")

#: Told of the stage, the steps of it that are done, and how many there are (None where that is not known).
OnProgress = Callable[[str, int, Optional[int]], None]

#: The server sends something at least so often, in seconds. Somebody who waits no longer than that asks instead.
_KEEP_ALIVE_S = 15.0
#: Streams that may break before the job is asked for now and then instead.
_STREAMS = 3
#: The shortest and the longest wait between two questions.
_POLL_S = (0.5, 5.0)


def ask(kind: type[T], send: Send) -> Flow[T]:
    """Sends a request and reads the answer as ``kind``."""
    response = yield from call(send)
    return _read(kind, _json(response))


def _json(response: httpx.Response) -> Any:
    try:
        return response.json()
    except ValueError as error:
        raise errors.not_understood("it is no JSON") from error


def _read(kind: type[T], value: object) -> T:
    try:
        return decode.read(kind, value)
    except (ValueError, TypeError, LookupError) as error:
        raise errors.not_understood(str(error)) from error


def job(name: str) -> Flow[Job]:
    """A job as it is now."""
    return (yield from ask(Job, Send("GET", f"/v1/jobs/{name}")))


def page(state: Optional[str], kind: Optional[str], limit: int, after: Optional[str]) -> Flow[JobPage]:
    """A page of the jobs."""
    asked = {"state": state, "kind": kind, "limit": limit, "after": after}
    params = {name: value for name, value in asked.items() if value is not None}
    return (yield from ask(JobPage, Send("GET", "/v1/jobs", params=params)))


def change(name: str, verb: str) -> Flow[Job]:
    """Cancels a job, or queues it anew."""
    return (yield from ask(Job, Send("POST", f"/v1/jobs/{name}/{verb}")))


def delete(name: str) -> Flow[None]:
    """Forgets a job and its files."""
    yield from call(Send("DELETE", f"/v1/jobs/{name}"))


def health() -> Flow[Health]:
    """How the server is."""
    return (yield from ask(Health, Send("GET", "/health")))


def submit(video: Source, audio: Source, said: Mapping[str, Any], key: Optional[str]) -> Flow[Job]:
    """Makes a lipsync job."""
    sources = {"video": video, "audio": audio}
    return (yield from ask(Job, options.job("lipsync", sources, options.LipsyncOptions, said, key)))


def lipsync(
    video: Source,
    audio: Source,
    output: Optional[Source],
    said: Mapping[str, Any],
    key: Optional[str],
    wait_s: Optional[float],
    on_progress: Optional[OnProgress],
) -> Flow[LipsyncResult]:
    """Makes a lipsync job, waits for it and downloads what it made."""
    target = None if output is None else writable(output)
    queued = yield from submit(video, audio, said, key)
    done = yield from wait(queued.id, wait_s, on_progress)
    if target is not None:
        yield from download(done.id, target)
    return replace(_result(LipsyncResult, done), job_id=done.id, warnings=done.warnings, path=target)


def fetch(name: str, output: Source) -> Flow[Path]:
    """Downloads the video that a job has made."""
    return (yield from download(name, writable(output)))


def faces(
    video: Source,
    said: Mapping[str, Any],
    key: Optional[str],
    wait_s: Optional[float],
    on_progress: Optional[OnProgress],
) -> Flow[FacesResult]:
    """Finds faces."""
    send = options.job("faces", {"video": video}, options.FacesOptions, said, key)
    return (yield from _made(FacesResult, send, wait_s, on_progress))


def score(
    video: Source,
    audio: Optional[Source],
    said: Mapping[str, Any],
    key: Optional[str],
    wait_s: Optional[float],
    on_progress: Optional[OnProgress],
) -> Flow[ScoreResult]:
    """Measures a video."""
    send = options.job("score", {"video": video, "audio": audio}, options.Wishes, said, key)
    return (yield from _made(ScoreResult, send, wait_s, on_progress))


def _made(kind: type[T], send: Send, wait_s: Optional[float], on_progress: Optional[OnProgress]) -> Flow[T]:
    queued = yield from ask(Job, send)
    done = yield from wait(queued.id, wait_s, on_progress)
    return _result(kind, done)


def _result(kind: type[T], done: Job) -> T:
    return _read(kind, done.result)


def create_batch(jobs: list[Mapping[str, Any]], said: Mapping[str, Any], key: Optional[str]) -> Flow[Batch]:
    """Makes a batch."""
    return (yield from ask(Batch, options.batch(jobs, said, key)))


def batch(name: str) -> Flow[Batch]:
    """A batch as it is now."""
    return (yield from ask(Batch, Send("GET", f"/v1/batches/{name}")))


def wait_batch(name: str, wait_s: Optional[float], on_change: Optional[Callable[[Batch], None]]) -> Flow[Batch]:
    """Asks for a batch until all of its jobs have ended."""
    until, pause = _Deadline(wait_s), _POLL_S[0]
    before = None
    while True:
        now = yield from batch(name)
        if on_change is not None and now.summary != before:
            on_change(now)
        before = now.summary
        if now.is_final:
            return now
        pause = yield from _pause(until, pause, f"the batch {name}")


def wait(name: str, wait_s: Optional[float], on_progress: Optional[OnProgress]) -> Flow[Job]:
    """Waits until a job is completed: listens to its events, and asks now and then where these do not come.

    Raises JobFailed where it fails or is cancelled, TimedOut after ``wait_s`` seconds.
    """
    until, pause, heard = _Deadline(wait_s), _POLL_S[0], _Progress(on_progress)
    streams = 0
    while True:
        now = None
        if streams < _STREAMS and until.left_s() > _KEEP_ALIVE_S:
            now = yield from _listen(name, until, heard)
            streams += 1
        if now is None:
            now = yield from job(name)
            heard.of(now)
        if now.state == "completed":
            return now
        if now.is_final:
            raise errors.JobFailed(now)
        pause = yield from _pause(until, pause, f"the job {name}")


def _listen(name: str, until: _Deadline, heard: _Progress) -> Flow[Optional[Job]]:
    """The job when it has ended. None where the stream says nothing of it, or not any more."""
    events = Events()
    try:
        accept = {"Accept": "text/event-stream"}
        response = yield Open(f"/v1/jobs/{name}/events", accept, 3 * _KEEP_ALIVE_S)
        if response.is_error or "text/event-stream" not in response.headers.get("content-type", ""):
            return None
        while (chunk := (yield Read())) is not None:
            for data in events.feed(chunk):
                now = _read(Job, json.loads(data))
                heard.of(now)
                if now.is_final:
                    return now
            if until.left_s() <= _KEEP_ALIVE_S:
                return None
    except (httpx.TransportError, ValueError):
        pass
    return None


def _pause(until: _Deadline, pause: float, what: str) -> Flow[float]:
    """Waits before the next question and says how long to wait before the one after it."""
    left = until.left_s()
    if left <= 0:
        raise errors.TimedOut(f"{what} has not ended in time", code="timed_out", hint="It goes on; wait() again.")
    yield Sleep(min(pause, left) * random.uniform(0.8, 1.0))
    return min(1.5 * pause, _POLL_S[1])


class _Deadline:
    """A moment after which nobody waits any more."""

    def __init__(self, wait_s: Optional[float]) -> None:
        self._end = None if wait_s is None else time.monotonic() + wait_s

    def left_s(self) -> float:
        """Seconds until then."""
        return float("inf") if self._end is None else self._end - time.monotonic()


class _Progress:
    """Says how far a job is, once for each change."""

    def __init__(self, on_progress: Optional[OnProgress]) -> None:
        self._tell = on_progress
        self._last: Optional[Progress] = None

    def of(self, now: Job) -> None:
        """Takes note of a job."""
        if self._tell is not None and now.progress is not None and now.progress != self._last:
            self._tell(now.progress.stage, now.progress.done, now.progress.total)
        self._last = now.progress
