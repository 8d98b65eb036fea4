"""Asking a gateway from the command line: the same transport as the client's, with an operator's key."""

from typing import Any
from urllib.parse import quote

import msgspec

from langguard.client import settings as client_settings
from langguard.client.http import Endpoint, Transport
from langguard.client.replies import read

URL_HELP = "The gateway's address; else LANGGUARD_URL."
TOKEN_HELP = "An API key with the scope this needs; else LANGGUARD_TOKEN."  # noqa: S105 - a help text


class Api:
    """A gateway, as an operator sees it."""

    def __init__(self, url: str | None, token: str | None) -> None:
        """Take address and key from the arguments, else from the environment.

        Raises:
            ConfigError: One is missing.
        """
        held = client_settings.load(url, token)
        self._token = held.token
        self._transport = Transport(Endpoint.parse(held.url, plain_http=held.plain_http), timeout=held.timeout)

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Return the reply's JSON.

        Raises:
            LangguardError: What the gateway says, or that it can't be reached.
        """
        secret = self._token.reveal()
        sent = None if body is None else msgspec.json.encode(body)
        reply = self._transport.exchange(method, path, token=secret, body=sent)
        return read(reply, dict, secret=secret)

    def fetch(self, path: str) -> bytes:
        """Return a reply's bytes, of a kind that is not one JSON document.

        Raises:
            LangguardError: What the gateway says, or that it can't be reached.
        """
        secret = self._token.reveal()
        reply = self._transport.exchange("GET", path, token=secret)
        if reply.content_type == "application/jsonl":
            return reply.body
        read(reply, dict, secret=secret)
        return reply.body


def part(name: str) -> str:
    """Return a name as one part of a path."""
    return quote(name, safe="")
