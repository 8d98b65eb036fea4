"""What every wire model is: frozen, keyword-only, and closed to unknown fields (an unknown field denies)."""

import msgspec


class Wire(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Base of all wire models."""


PROTOCOL = 1
"""The protocol version this build speaks."""

SUPPORTED = (1,)
"""Versions a gateway of this build serves, newest first."""
