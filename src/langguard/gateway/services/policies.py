"""The policy in force: checked against what the connections really hold, each version an entry of the ledger."""

from collections.abc import Callable

from langguard.errors import ConfigError
from langguard.gateway.services.recorder import Draft, Recorder
from langguard.policy import Policy


class Policies:
    """Holds the current policy; a change that does not check leaves the old one in force."""

    def __init__(self, *, recorder: Recorder, load: Callable[[], Policy]) -> None:
        """Read the policy with `load`, which raises ConfigError where it is wrong."""
        self._recorder = recorder
        self._load = load
        self._current = load()
        self.drift: str = ""

    @property
    def current(self) -> Policy:
        """The policy that decides now."""
        return self._current

    async def activate(self, by: str) -> None:
        """Record the current version as the one in force from here on."""
        data = {"version": self._current.version_id, "rules": [rule.id for rule in self._current.rules]}
        await self._recorder.record([Draft(kind="policy", by=by, data=data)])

    async def reload(self) -> bool:
        """Read the policy again; put it in force if it checks and differs.

        Returns:
            True if another version is in force now. Where the new text is wrong, `drift` says how.
        """
        try:
            fresh = self._load()
        except ConfigError as failed:
            self.drift = str(failed)
            return False
        self.drift = ""
        if fresh.version_id == self._current.version_id:
            return False
        data = {"version": fresh.version_id, "rules": [rule.id for rule in fresh.rules]}
        await self._recorder.record([Draft(kind="policy", by="policy file", data=data)])
        self._current = fresh
        return True
