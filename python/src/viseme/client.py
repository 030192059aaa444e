"""The two clients: one that blocks, one for asyncio. Both take the same flows."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Optional, TypeVar, Union

import httpx

from . import flows
from .flows import OnProgress
from .models import Batch, FacesResult, Health, Job, LipsyncResult, ScoreResult
from .options import Source
from .steps import AsyncDriver, Driver, Flow
from .version import __version__

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .options import BatchJob, FacesOptions, LipsyncOptions, Wishes

T = TypeVar("T")

#: Where `viseme serve` listens unless it is told otherwise.
BASE_URL = "http://127.0.0.1:8000"
#: How long the server may say nothing, in seconds.
TIMEOUT_S = 60.0
#: Jobs of a page.
_PAGE = 100


def _settings(base_url: str, token: Optional[str], timeout: Union[float, httpx.Timeout]) -> dict[str, Any]:
    headers = {"User-Agent": f"viseme-python/{__version__}"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return {"base_url": base_url, "headers": headers, "timeout": timeout}


class Viseme:
    """A client that blocks. Use it with ``with``, or close it; threads may share it.

    ``timeout`` is how long the server may say nothing, in seconds; how long a job may take is said where it is waited for.
    """

    def __init__(
        self,
        base_url: str = BASE_URL,
        token: Optional[str] = None,
        timeout: Union[float, httpx.Timeout] = TIMEOUT_S,
    ) -> None:
        self._http = httpx.Client(**_settings(base_url, token, timeout))

    def __enter__(self) -> Viseme:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _run(self, flow: Flow[T]) -> T:
        return Driver(self._http).run(flow)

    def lipsync(
        self,
        video: Source,
        audio: Source,
        *,
        output: Optional[Source] = None,
        on_progress: Optional[OnProgress] = None,
        wait_timeout: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        **options: Unpack[LipsyncOptions],
    ) -> LipsyncResult:
        """Moves the lips of ``video`` (or a photo) to ``audio``, waits, and downloads the result to ``output``.

        Files are sent, http(s) addresses are fetched by the server. ``on_progress(stage, done, total)`` is called on the way.
        ``options`` are those of LipsyncOptions: ``engine``, ``loop_mode``, ``characters``, ``faces``, ``webhook_url``, …

        Raises FileNotFoundError for a missing file, JobFailed where it cannot be done, TimedOut after ``wait_timeout`` seconds
        (the job then goes on), and the other kinds of VisemeError.
        """
        return self._run(flows.lipsync(video, audio, output, options, idempotency_key, wait_timeout, on_progress))

    def submit(
        self,
        video: Source,
        audio: Source,
        *,
        idempotency_key: Optional[str] = None,
        **options: Unpack[LipsyncOptions],
    ) -> Job:
        """Makes a lipsync job and does not wait for it. The same ``idempotency_key`` gives the same job for a day."""
        return self._run(flows.submit(video, audio, options, idempotency_key))

    def job(self, job_id: str) -> Job:
        """A job as it is now."""
        return self._run(flows.job(job_id))

    def jobs(self, *, state: Optional[str] = None, kind: Optional[str] = None, page_size: int = _PAGE) -> Iterator[Job]:
        """All jobs of this token, the newest first; pages are asked for as they are needed.

        ``state`` and ``kind`` may be several, with commas between them.
        """
        after: Optional[str] = None
        while True:
            page = self._run(flows.page(state, kind, page_size, after))
            yield from page.jobs
            after = page.next
            if after is None:
                return

    def wait(self, job_id: str, *, timeout: Optional[float] = None, on_progress: Optional[OnProgress] = None) -> Job:
        """Waits until a job is completed. Raises JobFailed, and TimedOut after ``timeout`` seconds."""
        return self._run(flows.wait(job_id, timeout, on_progress))

    def cancel(self, job_id: str) -> Job:
        """Calls a job off: at once when it waits, soon when it runs. One that has ended stays as it is."""
        return self._run(flows.change(job_id, "cancel"))

    def retry(self, job_id: str) -> Job:
        """Queues a job anew that has failed or was cancelled."""
        return self._run(flows.change(job_id, "retry"))

    def delete(self, job_id: str) -> None:
        """Forgets a job that has ended, and removes its files."""
        self._run(flows.delete(job_id))

    def download(self, job_id: str, output: Source) -> Path:
        """Downloads the video that a job has made: whole, or not at all."""
        return self._run(flows.fetch(job_id, output))

    def faces(
        self,
        video: Source,
        *,
        on_progress: Optional[OnProgress] = None,
        wait_timeout: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        **options: Unpack[FacesOptions],
    ) -> FacesResult:
        """Finds the faces of a video."""
        return self._run(flows.faces(video, options, idempotency_key, wait_timeout, on_progress))

    def score(
        self,
        video: Source,
        audio: Optional[Source] = None,
        *,
        on_progress: Optional[OnProgress] = None,
        wait_timeout: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        **options: Unpack[Wishes],
    ) -> ScoreResult:
        """Measures how well the lips of a video follow ``audio``, or its own sound, and how good sound and picture are."""
        return self._run(flows.score(video, audio, options, idempotency_key, wait_timeout, on_progress))

    def batch(
        self,
        jobs: Iterable[BatchJob],
        *,
        wait: bool = True,
        wait_timeout: Optional[float] = None,
        on_change: Optional[Callable[[Batch], None]] = None,
        idempotency_key: Optional[str] = None,
        **options: Unpack[Wishes],
    ) -> Batch:
        """Makes many lipsync jobs of addresses together, and waits for all of them unless ``wait`` is False.

        One that fails stops no other: ``results`` says how each has ended. ``on_change`` is told whenever one has.
        """
        made = self._run(flows.create_batch(list(jobs), options, idempotency_key))
        return self._run(flows.wait_batch(made.id, wait_timeout, on_change)) if wait else made

    def get_batch(self, batch_id: str) -> Batch:
        """A batch as it is now."""
        return self._run(flows.batch(batch_id))

    def health(self) -> Health:
        """How the server is, and which engines it has."""
        return self._run(flows.health())


class AsyncViseme:
    """The same for asyncio. Use it with ``async with``, in one event loop. Files are read and written in that loop's thread."""

    def __init__(
        self,
        base_url: str = BASE_URL,
        token: Optional[str] = None,
        timeout: Union[float, httpx.Timeout] = TIMEOUT_S,
    ) -> None:
        self._http = httpx.AsyncClient(**_settings(base_url, token, timeout))

    async def __aenter__(self) -> AsyncViseme:
        return self

    async def __aexit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _run(self, flow: Flow[T]) -> T:
        return await AsyncDriver(self._http).run(flow)

    async def lipsync(
        self,
        video: Source,
        audio: Source,
        *,
        output: Optional[Source] = None,
        on_progress: Optional[OnProgress] = None,
        wait_timeout: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        **options: Unpack[LipsyncOptions],
    ) -> LipsyncResult:
        """As Viseme.lipsync."""
        return await self._run(flows.lipsync(video, audio, output, options, idempotency_key, wait_timeout, on_progress))

    async def submit(
        self,
        video: Source,
        audio: Source,
        *,
        idempotency_key: Optional[str] = None,
        **options: Unpack[LipsyncOptions],
    ) -> Job:
        """As Viseme.submit."""
        return await self._run(flows.submit(video, audio, options, idempotency_key))

    async def job(self, job_id: str) -> Job:
        """As Viseme.job."""
        return await self._run(flows.job(job_id))

    async def jobs(
        self, *, state: Optional[str] = None, kind: Optional[str] = None, page_size: int = _PAGE
    ) -> AsyncIterator[Job]:
        """As Viseme.jobs."""
        after: Optional[str] = None
        while True:
            page = await self._run(flows.page(state, kind, page_size, after))
            for job in page.jobs:
                yield job
            after = page.next
            if after is None:
                return

    async def wait(self, job_id: str, *, timeout: Optional[float] = None, on_progress: Optional[OnProgress] = None) -> Job:
        """As Viseme.wait."""
        return await self._run(flows.wait(job_id, timeout, on_progress))

    async def cancel(self, job_id: str) -> Job:
        """As Viseme.cancel."""
        return await self._run(flows.change(job_id, "cancel"))

    async def retry(self, job_id: str) -> Job:
        """As Viseme.retry."""
        return await self._run(flows.change(job_id, "retry"))

    async def delete(self, job_id: str) -> None:
        """As Viseme.delete."""
        await self._run(flows.delete(job_id))

    async def download(self, job_id: str, output: Source) -> Path:
        """As Viseme.download."""
        return await self._run(flows.fetch(job_id, output))

    async def faces(
        self,
        video: Source,
        *,
        on_progress: Optional[OnProgress] = None,
        wait_timeout: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        **options: Unpack[FacesOptions],
    ) -> FacesResult:
        """As Viseme.faces."""
        return await self._run(flows.faces(video, options, idempotency_key, wait_timeout, on_progress))

    async def score(
        self,
        video: Source,
        audio: Optional[Source] = None,
        *,
        on_progress: Optional[OnProgress] = None,
        wait_timeout: Optional[float] = None,
        idempotency_key: Optional[str] = None,
        **options: Unpack[Wishes],
    ) -> ScoreResult:
        """As Viseme.score."""
        return await self._run(flows.score(video, audio, options, idempotency_key, wait_timeout, on_progress))

    async def batch(
        self,
        jobs: Iterable[BatchJob],
        *,
        wait: bool = True,
        wait_timeout: Optional[float] = None,
        on_change: Optional[Callable[[Batch], None]] = None,
        idempotency_key: Optional[str] = None,
        **options: Unpack[Wishes],
    ) -> Batch:
        """As Viseme.batch."""
        made = await self._run(flows.create_batch(list(jobs), options, idempotency_key))
        return await self._run(flows.wait_batch(made.id, wait_timeout, on_change)) if wait else made

    async def get_batch(self, batch_id: str) -> Batch:
        """As Viseme.get_batch."""
        return await self._run(flows.batch(batch_id))

    async def health(self) -> Health:
        """As Viseme.health."""
        return await self._run(flows.health())
