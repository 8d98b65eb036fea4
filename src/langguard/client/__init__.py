"""Ask the gateway: the session, the call, its outcome."""

from langguard.client.default import default_guard
from langguard.client.guard import Guard

__all__ = ["Guard", "default_guard"]
