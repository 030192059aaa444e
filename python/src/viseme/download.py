"""Videos come whole or not at all; what has arrived when the connection breaks is not asked for again."""

from __future__ import annotations

import contextlib
import errno
import os
import uuid
from pathlib import Path
from typing import BinaryIO

import httpx

from . import errors
from .options import Source
from .retry import RETRIES, RETRYABLE, wait_s
from .steps import Flow, Open, Read, Sleep


def writable(output: Source) -> Path:
    """Where a video is to go, in a folder that is there. Raises FileNotFoundError before anything is asked for."""
    path = Path(output)
    if not path.parent.is_dir():
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path.parent))
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    return path


def download(name: str, to: Path) -> Flow[Path]:
    """Downloads the video of a job beside ``to``, then names it so."""
    part = to.with_name(f".{to.name[:100]}.{uuid.uuid4().hex[:8]}.part")
    try:
        with part.open("xb") as file:
            yield from _fetch(f"/v1/jobs/{name}/result", file)
        os.replace(part, to)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()
    return to


def _fetch(path: str, file: BinaryIO) -> Flow[None]:
    """Reads ``path`` into ``file``, and goes on behind what is there as often as it gets any further."""
    attempt = 0
    while True:
        have = file.tell()
        try:
            yield from _fetch_rest(path, file, have)
            return
        except httpx.TransportError as error:
            attempt = 0 if file.tell() > have else attempt + 1
            if attempt > RETRIES:
                raise errors.of_transport(error) from error
        except _Busy as busy:
            attempt += 1
            if attempt > RETRIES:
                raise errors.of_response(busy.response) from None
        yield Sleep(wait_s(attempt))


class _Busy(Exception):
    """An answer after which the same request may succeed."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__()
        self.response = response


def _fetch_rest(path: str, file: BinaryIO, have: int) -> Flow[None]:
    response: httpx.Response = yield Open(path, {"Range": f"bytes={have}-"} if have else {})
    if response.status_code in RETRYABLE:
        raise _Busy(response)
    if response.is_error:
        raise errors.of_response(response)
    if response.headers.get("content-type", "").startswith("application/json"):
        raise errors.InvalidInput("the job has made no video", code="invalid_input", hint="Its result is in job().result.")
    if response.status_code == 206 and not response.headers.get("content-range", "").startswith(f"bytes {have}-"):
        raise errors.not_understood("it is another part of the file")
    if response.status_code != 206:
        file.seek(0)
        file.truncate()
    while (chunk := (yield Read())) is not None:
        file.write(chunk)
