"""The texts a request refers to by digest: each is sent once in a session, and is what its digest says."""

import hashlib

from langguard.gateway.problems import ProblemError
from langguard.gateway.services.sessions import Live
from langguard.protocol import CallRequest


def check_texts(live: Live, request: CallRequest) -> None:
    """Refuse a request whose texts are not what their digests say, or that refers to texts never sent.

    Raises:
        ProblemError: `invalid_request`, or `unknown_bodies` with the digests that are missing.
    """
    for digest, text in request.bodies.items():
        if hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() != digest:
            raise ProblemError("invalid_request", "A text does not have the digest it is sent under.")
    context = request.context
    named = {*context.messages, context.prompt, context.model_message} - {None}
    missing = sorted(digest for digest in named if digest and digest not in live.known and digest not in request.bodies)
    if missing:
        raise ProblemError("unknown_bodies", missing=tuple(missing))
