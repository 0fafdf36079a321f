"""What the schema of the kinds leaves to the operator, judged in a document as it was written.

The ids of this release, the parameters of checks and whether a schedule ever comes do not depend on the rest of a
document, so that they are named together with what breaks the schema instead of only once the schema is kept.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from finops.crds.invalid import InvalidField
from finops.errors import InvalidInput
from finops_operator.plugins.check import Check
from finops_operator.rules.due import next_run
from finops_operator.rules.known_ids import KnownIds
from finops_operator.scan.check import CheckSetting, setting_problems

_UTC: Final = "UTC"
_HOURLY: Final = "0 * * * *"


@dataclass(frozen=True, slots=True)
class BeyondSchema:
    """Judges what is written in policies and accounts by what this release knows, at one moment."""

    checks: Mapping[str, Check[Any]]
    known: KnownIds
    now: datetime

    def problems(self, kind: str, document: Mapping[str, Any], wrong: Collection[str]) -> Iterator[InvalidField]:
        """Yield what the operator would refuse in a document whose kind is `ScanPolicy` or `AwsAccount`.

        Args:
            kind: the document's kind.
            document: as it stands in the file.
            wrong: the paths that break the schema; nothing at them is judged again.
        """
        spec = document.get("spec")
        if not isinstance(spec, Mapping):
            return
        found = self._in_policy(spec, wrong) if kind == "ScanPolicy" else self._in_account(spec)
        yield from (one for one in found if one.path not in wrong)

    def _in_policy(self, spec: Mapping[str, Any], wrong: Collection[str]) -> Iterator[InvalidField]:
        checks = [one if isinstance(one, Mapping) else {} for one in _list(spec.get("checks"))]
        actions = spec.get("actions")
        yield from self.known.kinds_in(_list(spec.get("resources")))
        yield from self.known.checks_in([one.get("id") for one in checks])
        yield from self.known.actions_in(_list(actions.get("allowed")) if isinstance(actions, Mapping) else ())
        yield from self._in_schedule(spec, wrong)
        settings = [_setting(one, f"spec.checks[{number}]", wrong) for number, one in enumerate(checks)]
        for error in setting_problems(self.checks, settings):
            if error.code != "UnknownCheck":  # named above, with the nearest id
                yield InvalidField(error.field, error.message, error.hint)

    def _in_account(self, spec: Mapping[str, Any]) -> Iterator[InvalidField]:
        for number, grant in enumerate(_list(spec.get("allow"))):
            actions = _list(grant.get("actions")) if isinstance(grant, Mapping) else ()
            yield from self.known.actions_in(actions, f"spec.allow[{number}].actions[{{}}]")

    def _in_schedule(self, spec: Mapping[str, Any], wrong: Collection[str]) -> Iterator[InvalidField]:
        """Judge zone and schedule apart from each other, so that a wrong zone does not hide a wrong schedule."""
        zone, schedule = spec.get("timeZone"), spec.get("schedule")
        if isinstance(zone, str) and "spec.timeZone" not in wrong:
            yield from self._never(_HOURLY, zone)
        if isinstance(schedule, str) and "spec.schedule" not in wrong:
            yield from self._never(schedule, _UTC)

    def _never(self, schedule: str, zone: str) -> Iterator[InvalidField]:
        try:
            next_run(schedule, zone, self.now)
        except InvalidInput as error:
            yield InvalidField(error.field, error.message, error.hint)


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()


def _setting(written: Mapping[str, Any], place: str, wrong: Collection[str]) -> CheckSetting:
    """Return the setting of a check without what breaks the schema; one without an id has the id of no check."""
    parameters = written.get("parameters")
    kept = {
        name: value
        for name, value in (parameters.items() if isinstance(parameters, Mapping) else ())
        if isinstance(name, str) and value is not None and f"{place}.parameters.{name}" not in wrong
    }
    identifier = written.get("id")
    return CheckSetting(identifier if isinstance(identifier, str) else "", parameters=kept)
