"""Where a credential comes from: a reference in a file that people may read, and the secret it leads to."""

from langguard.secrets.base import Reference, Secret
from langguard.secrets.resolve import resolve

__all__ = ["Reference", "Secret", "resolve"]
