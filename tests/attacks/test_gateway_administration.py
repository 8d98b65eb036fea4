"""Administration: a key revoked while a request is on its way does nothing, and workers hold no credential."""

import json
import socket
import time
from pathlib import Path

import pytest
from tests.support.gateway import PG_PASSWORD


def slow(port, method, path, body, token, between):
    """Send the head and the first byte, call `between`, send the rest; return the status line and the body."""
    data = json.dumps(body).encode()
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(data)}\r\nconnection: close\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", port), timeout=20) as link:
        link.sendall(head.encode() + data[:1])
        time.sleep(0.3)  # so that the gateway has read the head
        between()
        link.sendall(data[1:])
        answer = b""
        while chunk := link.recv(65536):
            answer += chunk
    return answer.decode()


CATALOG = {"dialect": "sqlite", "default_schemas": ["main"], "tables": []}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/keys", {"name": "persist", "scopes": ["admin"], "days": 300}),
        ("PUT", "/v1/connections/direct/catalog", CATALOG),
        ("POST", "/v1/sessions", {"protocols": [1], "client": "slow"}),
    ],
)
def test_a_key_revoked_while_the_body_is_on_its_way_does_nothing(gateway, method, path, body):
    made = gateway.ask("POST", "/v1/keys", {"name": "leaver", "groups": ["analysts"], "scopes": ["admin", "call"]}).body
    answer = slow(
        gateway.port,
        method,
        path,
        body,
        made["secret"],
        lambda: gateway.ask("DELETE", f"/v1/keys/{made['key']['id']}"),
    )
    assert answer.startswith("HTTP/1.1 401 "), answer
    names = [key["principal"]["name"] for key in gateway.ask("GET", "/v1/keys").body["keys"]]
    assert "persist" not in names


def test_no_worker_has_a_credential_in_its_environment(gateway):
    workers = gateway.workers()
    assert len(workers) >= 4
    held = [Path(f"/proc/{worker}/environ").read_bytes() for worker in workers]
    assert PG_PASSWORD.encode() in Path(f"/proc/{gateway.pid}/environ").read_bytes()
    assert not any(PG_PASSWORD.encode() in environment for environment in held)
