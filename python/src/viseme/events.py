"""Server-sent events (the HTML standard, section 9.2)."""

from __future__ import annotations

import re
from collections.abc import Iterator


class Events:
    """Takes a stream apart into the data of its events."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[str] = []

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The data of every event that ends in ``chunk``, in any cut of the stream."""
        # A CR at the end may be half of a line break.
        text = self._rest + chunk
        held = text[-1:] if text.endswith(b"\r") else b""
        lines = re.split(rb"\r\n|\n|\r", text[: len(text) - len(held)])
        self._rest = lines.pop() + held
        for line in lines:
            if not line and self._data:
                yield "\n".join(self._data)
                self._data = []
            elif line.startswith(b"data:"):
                self._data.append(line[5:].decode("utf-8", "replace").removeprefix(" "))
