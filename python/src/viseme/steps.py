"""What this package does over the network, without doing it.

Every operation is a *flow*: a generator that yields steps and is given what came of them. ``Driver`` takes the steps with a
blocking client, ``AsyncDriver`` the same steps with an asynchronous one; there is one description of every operation.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Generator, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, TypeVar, Union

import httpx

T = TypeVar("T")


@dataclass(frozen=True)
class Send:
    """Sends a request and reads the answer to its end. ``files`` are streamed from the disk as parts of a form."""

    method: str
    path: str
    params: Mapping[str, Union[str, int]] = field(default_factory=dict)
    json: Optional[Mapping[str, Any]] = None
    fields: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Path] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def arguments(self, opened: ExitStack) -> dict[str, Any]:
        """The arguments for httpx. The files are open as long as ``opened`` is."""
        arguments: dict[str, Any] = {"params": dict(self.params), "headers": dict(self.headers)}
        if self.json is not None:
            arguments["json"] = self.json
        if self.files:
            arguments["data"] = dict(self.fields)
            arguments["files"] = {
                part: (path.name, opened.enter_context(path.open("rb")), "application/octet-stream")
                for part, path in self.files.items()
            }
        return arguments


@dataclass(frozen=True)
class Open:
    """Asks for something and reads no further than the head of the answer, unless that tells of an error.

    What was open before is closed.
    """

    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    #: How long nothing may come, in seconds; None for what the client says.
    read_timeout: Optional[float] = None

    def request(self, http: Union[httpx.Client, httpx.AsyncClient]) -> httpx.Request:
        """The request for httpx."""
        timeout = http.timeout
        if self.read_timeout is not None:
            timeout = httpx.Timeout(connect=timeout.connect, read=self.read_timeout, write=timeout.write, pool=timeout.pool)
        return http.build_request("GET", self.path, headers=dict(self.headers), timeout=timeout)


@dataclass(frozen=True)
class Read:
    """The next bytes of what is open, None after the last."""


@dataclass(frozen=True)
class Sleep:
    """Waits so many seconds."""

    seconds: float


Step = Union[Send, Open, Read, Sleep]
Flow = Generator[Step, Any, T]


class Driver:
    """Takes the steps of one flow with a blocking client."""

    def __init__(self, http: httpx.Client) -> None:
        self._http = http
        self._open: Optional[httpx.Response] = None
        self._chunks: Iterator[bytes] = iter(())

    def run(self, flow: Flow[T]) -> T:
        """Takes every step and gives back what the flow returns."""
        try:
            step = next(flow)
            while True:
                try:
                    outcome = self._take(step)
                except httpx.TransportError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()
            self._close()

    def _take(self, step: Step) -> object:
        if isinstance(step, Send):
            with ExitStack() as opened:
                return self._http.request(step.method, step.path, **step.arguments(opened))
        if isinstance(step, Open):
            self._close()
            self._open = self._http.send(step.request(self._http), stream=True)
            if self._open.is_error:
                self._open.read()
            self._chunks = self._open.iter_bytes()
            return self._open
        if isinstance(step, Read):
            return next(self._chunks, None)
        time.sleep(step.seconds)
        return None

    def _close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None


class AsyncDriver:
    """Takes the steps of one flow with an asynchronous client."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._open: Optional[httpx.Response] = None
        self._chunks: Optional[AsyncIterator[bytes]] = None

    async def run(self, flow: Flow[T]) -> T:
        """Takes every step and gives back what the flow returns."""
        try:
            step = next(flow)
            while True:
                try:
                    outcome = await self._take(step)
                except httpx.TransportError as error:
                    step = flow.throw(error)
                else:
                    step = flow.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()
            await self._close()

    async def _take(self, step: Step) -> object:
        if isinstance(step, Send):
            with ExitStack() as opened:
                return await self._http.request(step.method, step.path, **step.arguments(opened))
        if isinstance(step, Open):
            await self._close()
            self._open = await self._http.send(step.request(self._http), stream=True)
            if self._open.is_error:
                await self._open.aread()
            self._chunks = self._open.aiter_bytes()
            return self._open
        if isinstance(step, Read):
            return None if self._chunks is None else await _next(self._chunks)
        await asyncio.sleep(step.seconds)
        return None

    async def _close(self) -> None:
        if self._open is not None:
            await self._open.aclose()
        self._open = None


async def _next(chunks: AsyncIterator[bytes]) -> Optional[bytes]:
    """The next of the chunks, None after the last."""
    try:
        return await chunks.__anext__()
    except StopAsyncIteration:
        return None
