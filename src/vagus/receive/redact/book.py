"""The redaction rules of all projects, kept durably and ready to use."""

from __future__ import annotations

import threading

from vagus.model.facts import FactStore
from vagus.receive.redact.redactor import Redactor
from vagus.receive.redact.rules import Rules, check_rules, read_rules, write_rules
from vagus.receive.redact.seal import Sealer


class RuleBook:
    """What each project wants redacted; used by all threads of the receiver."""

    def __init__(self, state: FactStore, key: bytes) -> None:
        self._state = state
        self._key = key
        self._redactors: dict[str, Redactor] = {}
        self._lock = threading.Lock()

    def rules(self, project: str) -> Rules:
        """The rules of a project; secrets alone where it has set none."""
        kept = self._state.get(_key_of(project))
        return Rules() if kept is None else read_rules(kept)

    def set_rules(self, project: str, rules: Rules) -> None:
        """Set the rules of a project, for all that comes from now on; raises `BadInput`."""
        checked = check_rules(rules)
        with self._lock:
            self._state.put(_key_of(project), write_rules(checked))
            self._redactors[project] = Redactor(checked, self.sealer(project))

    def redactor(self, project: str) -> Redactor:
        """The redaction that is in force for a project."""
        found = self._redactors.get(project)
        if found is None:
            with self._lock:
                found = self._redactors.get(project)
                if found is None:
                    found = Redactor(self.rules(project), self.sealer(project))
                    self._redactors[project] = found
        return found

    def sealer(self, project: str) -> Sealer:
        """What seals and opens the values of a project."""
        return Sealer(self._key, project)


def _key_of(project: str) -> str:
    return f"redaction:{project}"
