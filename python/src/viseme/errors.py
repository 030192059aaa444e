"""What can go wrong, one class for each way in which a program may want to go on."""

from __future__ import annotations

from typing import Any, Optional

import httpx

from .models import Job


class VisemeError(Exception):
    """Anything that the server refuses, or that stands between it and this program.

    ``code`` is for machines, ``message`` and ``hint`` (what to do about it) are for people, ``param`` is the field of the
    request that it is about, ``request_id`` finds the request in the server's log, ``status`` is that of HTTP. Each but the
    first two is None where it is not known.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "internal",
        hint: Optional[str] = None,
        param: Optional[str] = None,
        request_id: Optional[str] = None,
        status: Optional[int] = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hint = hint
        self.param = param
        self.request_id = request_id
        self.status = status

    def __str__(self) -> str:
        return f"{self.message}. {self.hint}" if self.hint else self.message


class NotFound(VisemeError):
    """There is no such job, or its files are gone."""


class InvalidInput(VisemeError):
    """A file, an address or a value that cannot be used."""


class TooLarge(VisemeError):
    """A file that is larger than the server takes."""


class Unauthorized(VisemeError):
    """The token is missing, unknown, or does not allow this."""


class TimedOut(VisemeError):
    """Nothing was heard for too long, or the job has not ended in time. It goes on by itself."""


class ConnectionFailed(VisemeError):
    """The server cannot be reached, or the connection broke."""


class JobFailed(VisemeError):
    """The job has failed, or was cancelled (``code`` is then ``cancelled``). ``job`` says more."""

    def __init__(self, job: Job) -> None:
        error = job.error
        if job.state == "cancelled":
            super().__init__("the job was cancelled", code="cancelled")
        elif error is None:
            super().__init__("the job failed")
        else:
            super().__init__(error.message, code=error.code, hint=error.hint)
        self.job = job

    def __reduce__(self) -> tuple[type[JobFailed], tuple[Job]]:
        return (JobFailed, (self.job,))


_BY_STATUS = {
    400: InvalidInput,
    401: Unauthorized,
    403: Unauthorized,
    404: NotFound,
    408: TimedOut,
    413: TooLarge,
    415: InvalidInput,
    416: InvalidInput,
    422: InvalidInput,
    504: TimedOut,
}


def of_response(response: httpx.Response) -> VisemeError:
    """The error that an answer, which was read to its end, tells of."""
    told = _told(response)
    message = told.get("message") or f"the server answered {response.status_code} {response.reason_phrase}".rstrip()
    return _BY_STATUS.get(response.status_code, VisemeError)(
        str(message),
        code=str(told.get("code") or f"http_{response.status_code}"),
        hint=told.get("hint"),
        param=told.get("param"),
        request_id=told.get("request_id") or response.headers.get("x-request-id"),
        status=response.status_code,
    )


def _told(response: httpx.Response) -> dict[str, Any]:
    """What the body says of the error; nothing where something other than a Viseme server has answered."""
    try:
        error = response.json()["error"]
    except (ValueError, LookupError, TypeError):
        return {}
    return error if isinstance(error, dict) else {}


def of_transport(error: httpx.TransportError) -> VisemeError:
    """The error of a request that got no answer."""
    what = str(error) or type(error).__name__
    if isinstance(error, httpx.TimeoutException) and not isinstance(error, httpx.ConnectTimeout):
        return TimedOut(f"the server did not answer in time: {what}", code="timed_out")
    return ConnectionFailed(
        f"the server cannot be reached: {what}",
        code="network",
        hint="Is `viseme serve` running, and is this its address?",
    )


def not_understood(why: str) -> VisemeError:
    """The error of an answer that this version cannot read."""
    return VisemeError(f"the server's answer is not understood: {why}", code="invalid_response")
