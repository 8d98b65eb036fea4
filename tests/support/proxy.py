"""An HTTP proxy before a real gateway that breaks off, swallows or falsifies answers when a test says so."""

import contextlib
import http.client
import http.server
import threading
import time
from collections.abc import Callable, Iterator

Fault = str | bytes
"""What happens to one request:

- `pass`: nothing.
- `refuse`: the connection is closed; the gateway never sees the request.
- `drop`: the gateway answers, and the answer never arrives.
- `half`: the gateway answers, and half of the answer arrives.
- `hang`: the request is read and never answered, nor passed on.
- `late`: the gateway answers, and the answer never arrives on a connection that stays open.
- bytes: they are sent in the answer's place; the gateway never sees the request.
"""


class Proxy:
    """Passes requests on to a gateway, after asking `fault(method, path)` what is to happen."""

    def __init__(self, port: int) -> None:
        self.fault: Callable[[str, str], Fault] = lambda _method, _path: "pass"
        self.seen: list[tuple[str, str, str]] = []
        self.over = threading.Event()
        proxy = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def do_DELETE(self) -> None:
                self._serve()

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                what = proxy.fault(self.command, self.path)
                proxy.seen.append((self.command, self.path, what if isinstance(what, str) else "bytes"))
                self.close_connection = what != "pass"
                if isinstance(what, bytes):
                    self.wfile.write(what)
                    return
                if what == "refuse":
                    return
                if what == "hang":
                    proxy.over.wait()
                    return
                link = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
                try:
                    link.request(self.command, self.path, body=body, headers=dict(self.headers))
                    answer = link.getresponse()
                    data = answer.read()
                finally:
                    link.close()
                if what == "late":
                    proxy.over.wait()
                if what in ("drop", "late"):
                    return
                head = f"HTTP/1.1 {answer.status} x\r\ncontent-type: {answer.headers['content-type']}\r\n"
                raw = f"{head}content-length: {len(data)}\r\n\r\n".encode() + data
                self.wfile.write(raw[: len(raw) // 2] if what == "half" else raw)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A client that went away is what is tested."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def first(self, fault: Fault, method: str, path: str, *, times: int = 1) -> None:
        """Let the next `times` requests of a method whose path starts so meet `fault`, and no other."""
        left = [times]

        def decide(asked: str, place: str) -> Fault:
            if asked == method and place.startswith(path) and left[0] > 0:
                left[0] -= 1
                return fault
            return "pass"

        self.fault = decide

    def heal(self) -> None:
        """Pass everything from now on; requests that hang are let go."""
        self.fault = lambda _method, _path: "pass"
        self.over.set()
        time.sleep(0)
        self.over = threading.Event()

    @contextlib.contextmanager
    def running(self) -> Iterator["Proxy"]:
        """Serve while the block runs."""
        self._thread.start()
        try:
            yield self
        finally:
            self.over.set()
            self._server.shutdown()
            self._server.server_close()
