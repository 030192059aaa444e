"""Requests that may be sent again, are."""

from __future__ import annotations

import random
from typing import Optional

import httpx

from . import errors
from .steps import Flow, Send, Sleep

#: How often a request is sent again.
RETRIES = 3
#: Answers after which the same request may succeed.
RETRYABLE = frozenset({429, 502, 503, 504})
#: The longest first wait; it doubles with each further one.
_FIRST_S = 0.25
#: The longest wait that a server may ask for.
_MOST_S = 30.0


def call(send: Send) -> Flow[httpx.Response]:
    """Sends a request, again where that cannot do anything twice: GET, and what has an Idempotency-Key."""
    is_safe = send.method == "GET" or "Idempotency-Key" in send.headers
    for attempt in range(RETRIES + 1):
        is_last = attempt == RETRIES
        try:
            response: httpx.Response = yield send
        except httpx.TransportError as error:
            # Where there was no connection, nothing was asked.
            was_not_asked = isinstance(error, (httpx.ConnectError, httpx.ConnectTimeout))
            if is_last or not (is_safe or was_not_asked) or isinstance(error, httpx.UnsupportedProtocol):
                raise errors.of_transport(error) from error
            yield Sleep(wait_s(attempt))
            continue
        if not response.is_error:
            return response
        if is_last or not is_safe or response.status_code not in RETRYABLE:
            raise errors.of_response(response)
        yield Sleep(asked_wait_s(response) or wait_s(attempt))
    raise AssertionError("the last attempt returns or raises")


def wait_s(attempt: int) -> float:
    """How long to wait after ``attempt`` others have failed: never the same for two clients that failed together."""
    return float(_FIRST_S * 2**attempt * random.uniform(0.5, 1.0))


def asked_wait_s(response: httpx.Response) -> Optional[float]:
    """How long the server asks to wait, where it says so in seconds."""
    text = response.headers.get("retry-after", "")
    return min(float(text), _MOST_S) if text.isdigit() else None
