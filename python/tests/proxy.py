"""A server of the tests between client and server, which breaks off where a test wants it."""

from __future__ import annotations

import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Optional
from urllib.parse import urlsplit


class Proxy:
    """Passes requests on. What ``cut`` holds for a path is used up from the left, one value for each request.

    None passes the answer on; a number breaks the connection after so many bytes of its body.
    """

    def __init__(self, to: str) -> None:
        self.cut: dict[str, list[Optional[int]]] = {}
        self.seen: list[tuple[str, str, dict[str, str]]] = []
        proxy, address = self, urlsplit(to).netloc

        class Handler(BaseHTTPRequestHandler):
            def handle_one(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                names = {name.lower(): value for name, value in self.headers.items()}
                proxy.seen.append((self.command, self.path, names))
                ending = next((end for end in proxy.cut if self.path.endswith(end)), "")
                cuts = proxy.cut.get(ending, [])
                most = cuts.pop(0) if cuts else None
                self.close_connection = True
                connection = HTTPConnection(address)
                connection.request(self.command, self.path, body, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                if most == 0:
                    return
                self.send_response_only(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                        self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(content[:most])

            do_GET = do_POST = do_DELETE = handle_one

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self,
        kind: Optional[type[BaseException]],
        error: Optional[BaseException],
        trace: Optional[TracebackType],
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def of(self, ending: str) -> list[dict[str, str]]:
        """The headers of the requests whose path ends so."""
        return [headers for _, path, headers in self.seen if path.endswith(ending)]
