"""A gateway that answers from a script over real HTTP: for tests of the client and the components.

It keeps the protocol's promises by default (signed growing checkpoints, bodies by digest, stored answers, receipts) and
breaks one when a test says so, with `faults`.
"""

import base64
import hashlib
import http.server
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from langguard.protocol import (
    Answer,
    CallRequest,
    ColumnPlan,
    ConnectionInfo,
    Decision,
    MaskPlan,
    Obligations,
    Observation,
    OpenSession,
    OutcomeReceipt,
    OutcomeReport,
    Problem,
    Receipt,
    Result,
    ResultColumn,
    SchemaCall,
    SessionInfo,
    SqlCall,
)

API_KEY = "lgk_test_5Jq0secret"
TREE = "langguard/test"
ALLOW = Decision(effect="allow", reason="granted", message="Allowed.")


@dataclass
class Raw:
    """Bytes to put on the wire as they are, then close; `drip` seconds between bytes; None closes without a byte."""

    content: bytes | None
    drip: float = 0.0
    before: float = 0.0


class Signer:
    """A ledger's note key, written from the C2SP texts and not with the code under test."""

    def __init__(self, name: str = TREE) -> None:
        self.name = name
        self.key = Ed25519PrivateKey.generate()
        public = b"\x01" + self.key.public_key().public_bytes_raw()
        self.id = hashlib.sha256(name.encode() + b"\n" + public).digest()[:4]
        self.public = f"{name}+{self.id.hex()}+{base64.b64encode(public).decode()}"

    def note(self, size: int, root: bytes | None = None) -> str:
        held = root if root is not None else hashlib.sha256(b"root %d" % size).digest()
        text = f"{self.name}\n{size}\n{base64.b64encode(held).decode()}\n"
        signature = base64.b64encode(self.id + self.key.sign(text.encode())).decode()
        return f"{text}\n— {self.name} {signature}\n"


def result(columns: list[str], rows: list[tuple[Any, ...]], **more: Any) -> Result:
    return Result(columns=tuple(ResultColumn(name=name) for name in columns), rows=tuple(rows), **more)


SCHEMA_COLUMNS = ["table", "column", "type", "nullable", "primary_key", "references"]
SHOP = [
    ("public.customers", "id", "integer", False, True, None),
    ("public.customers", "email", "text", True, False, None),
    ("public.orders", "id", "integer", False, True, None),
    ("public.orders", "customer_id", "integer", True, False, "public.customers.id"),
    ("public.orders", "Total Price", "numeric(10,2)", True, False, None),
    ("audit.log", "at", "timestamp with time zone", False, False, None),
]


class FakeGateway:
    """Speaks the protocol on a free port of 127.0.0.1.

    Attributes:
        script: Turns a call into an Answer (its receipts and checkpoint are filled in), a Problem or Raw bytes.
        faults: By "METHOD path": what to answer next instead; each is used once.
        requests: Every request as (method, path, token, body).
    """

    def __init__(
        self, connections: tuple[ConnectionInfo, ...] = (), schema: list[tuple[Any, ...]] | None = None
    ) -> None:
        self.connections = connections or (
            ConnectionInfo(name="shop", kind="sql", dialect="postgres", custody="gateway"),
        )
        self.schema = SHOP if schema is None else schema
        self.signer = Signer()
        self.size = 1
        self.lock = threading.RLock()
        self.faults: dict[str, list[Any]] = {}
        self.requests: list[tuple[str, str, str, bytes]] = []
        self.sessions: dict[str, SessionInfo] = {}
        self.bodies: dict[str, dict[str, str]] = {}
        self.answers: dict[str, Answer] = {}
        self.calls: list[CallRequest] = []
        self.outcomes: dict[str, OutcomeReport] = {}
        self.observations: list[Observation] = []
        self.ran: list[str] = []
        self.default_schemas = ("public",)
        self.keys = {API_KEY}
        self.ttl_us = 3600 * 10**6
        self.script: Callable[[CallRequest], Any] = self.allow
        self.server: http.server.ThreadingHTTPServer | None = None
        self.port = 0

    # -- life
    def start(self) -> "FakeGateway":
        gateway = self

        class Handler(_Handler):
            owner = gateway

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True
            request_queue_size = 128

            def handle_error(self, request: Any, client_address: Any) -> None:
                gateway.connections_broken = getattr(gateway, "connections_broken", 0) + 1

        self.server = Server(("127.0.0.1", self.port), Handler)
        self.port = self.server.server_port
        self.sockets: set[Any] = set()
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()
        return self

    def stop(self) -> None:
        if self.server is not None:
            self.server.shutdown()
            self.server.server_close()
            self.drop_connections()
            self.thread.join()
            self.server = None

    def drop_connections(self) -> None:
        """Close every kept connection, as an idle timeout would."""
        for one in list(self.sockets):
            try:
                one.shutdown(2)
            except OSError:
                self.sockets.discard(one)

    def restart(self) -> None:
        """Stop and come back on the same port with the same ledger and no sessions."""
        self.stop()
        self.sessions.clear()
        self.bodies.clear()
        self.start()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # -- answers
    def checkpoint(self) -> str:
        return self.signer.note(self.size)

    def receipt(self) -> Receipt:
        self.size += 1
        return Receipt(entry=self.size - 1, leaf=f"{self.size:064x}")

    def answer(self, request: CallRequest, **fields: Any) -> Answer:
        with self.lock:
            intent = self.receipt()
            outcome = self.receipt() if fields.get("result") is not None else None
            filled = {"decision": ALLOW, "outcome": outcome, **fields}
            return Answer(call_id=request.id, intent=intent, checkpoint=self.checkpoint(), **filled)

    def deny(self, request: CallRequest, message: str = "Table payroll is not yours to read; orders is.") -> Answer:
        return self.answer(request, decision=Decision(effect="deny", reason="no_grant", message=message, rule="r1"))

    def custody(self, name: str) -> str:
        return next((one.custody for one in self.connections if one.name == name), "gateway")

    def allow(self, request: CallRequest) -> Answer:
        """Allow everything: structure from `schema`, one row of one column, or the statement itself (custody agent)."""
        call = request.call
        if isinstance(call, SchemaCall):
            rows = self.schema
            if call.tables is not None:
                wanted = {name if "." in name else f"{self.default_schemas[0]}.{name}" for name in call.tables}
                rows = [row for row in rows if row[0] in wanted]
            return self.answer(request, result=result(SCHEMA_COLUMNS, rows), schemas=self.default_schemas)
        if self.custody(call.connection) == "agent":
            return self.permit(request, call)
        return self.answer(request, result=result(["n"], [(1,)]))

    def permit(self, request: CallRequest, call: SqlCall, width: int = 1, **more: Any) -> Answer:
        plan = MaskPlan(columns=tuple(ColumnPlan(action="pass", why="clear") for _ in range(width)))
        bound = Obligations(
            rows=more.pop("rows", 500), timeout_ms=2000, result_bytes=10**6, read_only=True, mask=more.pop("mask", plan)
        )
        return self.answer(
            request,
            statement=call.statement,
            binds=call.binds,
            schemas=self.default_schemas,
            obligations=bound,
            **more,
        )

    # -- routes
    def handle(self, method: str, path: str, token: str, body: bytes) -> Any:
        with self.lock:
            self.requests.append((method, path, token, body))
            queue = self.faults.get(f"{method} {path}") or self.faults.get(f"{method} *")
            fault = queue.pop(0) if queue else None
        if fault is not None:
            if callable(fault):
                fault = fault(method, path, token, body)
            if fault is not None:
                return fault
        return self.route(method, path, token, body)

    def route(self, method: str, path: str, token: str, body: bytes) -> Any:
        with self.lock:
            if (method, path) == ("POST", "/v1/sessions"):
                if token not in self.keys:
                    return problem(401, "session_ended", f"The key {token} is not known.")
                return self.open(msgspec.json.decode(body, type=OpenSession))
            if token not in self.sessions:
                return problem(401, "session_ended", "The session has ended.")
            if (method, path) == ("GET", "/v1/session"):
                return msgspec.structs.replace(self.sessions[token], checkpoint=self.checkpoint())
            if (method, path) == ("POST", "/v1/observations"):
                self.observations.append(msgspec.json.decode(body, type=Observation))
                return Raw(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
            if method == "DELETE":
                self.sessions.pop(token)
                return Raw(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n")
        if (method, path) == ("POST", "/v1/calls"):
            return self.call(token, msgspec.json.decode(body, type=CallRequest))
        call_id = path.split("/")[3]
        with self.lock:
            if method == "GET" and call_id in self.answers:
                return self.answers[call_id]
            if method == "POST" and path.endswith("/outcome") and call_id in self.answers:
                return self.report(call_id, msgspec.json.decode(body, type=OutcomeReport))
        return problem(404, "not_found", "There is no such call.")

    def open(self, asked: OpenSession) -> Any:
        if 1 not in asked.protocols:
            return problem(426, "protocol_mismatch", "This gateway speaks 1.")
        token = f"lgs_{len(self.requests):04d}hidden"
        info = SessionInfo(
            id=f"ses_{len(self.requests)}",
            protocol=1,
            principal="ana@example.com",
            groups=("support",),
            connections=self.connections,
            expires_at=time.time_ns() // 1000 + self.ttl_us,
            ledger_key=self.signer.public,
            checkpoint=self.checkpoint(),
            token=token,
            mask_key="ab" * 32,
        )
        self.sessions[token] = msgspec.structs.replace(info, token="")
        self.bodies[token] = {}
        return info

    def call(self, token: str, request: CallRequest) -> Any:
        with self.lock:
            held = self.bodies[token]
            context = request.context
            named = [digest for digest in (context.prompt, context.model_message, *context.messages) if digest]
            missing = tuple(sorted({one for one in named if one not in held and one not in request.bodies}))
            if missing:
                return problem(409, "unknown_bodies", "Send them.", missing)
            assert all(hashlib.sha256(text.encode()).hexdigest() == one for one, text in request.bodies.items())
            held.update(request.bodies)
            if request.id in self.answers:
                return self.answers[request.id]
            self.calls.append(request)
        answered = self.script(request)
        with self.lock:
            if isinstance(answered, Answer):
                self.answers[request.id] = answered
                self.ran.append(request.id)
        return answered

    def report(self, call_id: str, report: OutcomeReport) -> OutcomeReceipt:
        self.outcomes[call_id] = report
        outcome = self.receipt()
        self.answers[call_id] = msgspec.structs.replace(self.answers[call_id], outcome=outcome)
        return OutcomeReceipt(call_id=call_id, outcome=outcome, checkpoint=self.checkpoint())

    # -- looking back
    def sql(self) -> list[str]:
        return [one.call.statement for one in self.calls if isinstance(one.call, SqlCall)]

    def body(self, digest: str | None) -> str:
        return next(held[digest] for held in self.bodies.values() if digest in held)


def problem(status: int, code: str, detail: str = "", missing: tuple[str, ...] = ()) -> Problem:
    return Problem(type=f"urn:test:{code}", title=code, status=status, code=code, detail=detail, missing=missing)


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    owner: FakeGateway

    def setup(self) -> None:
        super().setup()
        self.owner.sockets.add(self.request)

    def finish(self) -> None:
        self.owner.sockets.discard(self.request)
        super().finish()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        token = (self.headers.get("authorization") or "").removeprefix("Bearer ")
        answered = self.owner.handle(self.command, self.path, token, body)
        if isinstance(answered, Raw):
            time.sleep(answered.before)
            if answered.content is not None:
                for start in range(0, len(answered.content), 1 if answered.drip else 1 << 20):
                    self.wfile.write(answered.content[start : start + (1 if answered.drip else 1 << 20)])
                    time.sleep(answered.drip)
            self.close_connection = True
            return
        status = answered.status if isinstance(answered, Problem) else 200
        content = msgspec.json.encode(answered)
        kind = "application/problem+json" if isinstance(answered, Problem) else "application/json"
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - http.server's names
