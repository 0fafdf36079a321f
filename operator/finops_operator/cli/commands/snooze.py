"""`finops snooze REQUEST --until DATE`: not now; the resource is not asked about before that date."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Annotated, Final

import typer

from finops.domain.decision import LONGEST_SNOOZE, Choice
from finops.errors import InvalidInput
from finops_operator.cli.asking import confirm
from finops_operator.cli.cluster_access import open_cluster
from finops_operator.cli.command import Command
from finops_operator.cli.finding import find_request
from finops_operator.cli.options import Context, Kubeconfig, Namespace, Request, Wait, Yes
from finops_operator.cli.voting import cast, checked_reason, show_answer

_FROM_NOW: Final = re.compile(r"([1-9][0-9]{0,3})([dw])")
_UNITS: Final = {"d": timedelta(days=1), "w": timedelta(weeks=1)}


class MachineZone(tzinfo):
    """The zone of this machine, with the days on which its clocks change; `astimezone` alone keeps today's offset."""

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().utcoffset()

    def dst(self, moment: datetime | None) -> timedelta | None:
        del moment
        return None

    def tzname(self, moment: datetime | None) -> str | None:
        return None if moment is None else moment.replace(tzinfo=None).astimezone().tzname()


def when(text: str, now: datetime) -> datetime:
    """Return the time that a person means: `2026-12-24` in their zone, a time with its zone, or `14d`, `2w` from now.

    Days are those of the calendar: `14d` is the same time of day, also when the clocks change in between.

    Args:
        text: as on the command line.
        now: in the person's zone, which knows when its clocks change: dates without a zone are meant there.

    Raises:
        InvalidInput: it is none of these, or not in the coming 366 days.
    """
    match = _FROM_NOW.fullmatch(text.strip())
    if match is not None:
        found = now + int(match[1]) * _UNITS[match[2]]
    else:
        try:
            found = datetime.fromisoformat(text.strip())
        except ValueError:
            raise InvalidInput(
                f"{text!r} is not a date",
                field="--until",
                hint="write 2026-12-24, 2026-12-24T08:00:00+01:00, 14d or 2w",
            ) from None
        found = found if found.tzinfo is not None else found.replace(tzinfo=now.tzinfo)
    latest = now + LONGEST_SNOOZE
    # The years come first: one such as 9999 cannot be moved to another zone.
    is_near = now.year - 1 <= found.year <= latest.year + 1
    if not is_near or not now < (moment := found.astimezone(UTC).replace(microsecond=0)) <= latest:
        raise InvalidInput(
            f"{text.strip()} is not in the coming {LONGEST_SNOOZE.days} days",
            field="--until",
            hint=f"write a date after today, {latest.date()} at the latest, or a length such as 14d",
        )
    return moment


def _run(
    request: Request,
    until: Annotated[str, typer.Option("--until", metavar="DATE", help="When to ask again: 2026-12-24, 14d or 2w.")],
    reason: Annotated[
        str, typer.Option("--reason", help="Why; it is kept in the ledger.", callback=checked_reason)
    ] = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespace = "",
    wait: Wait = 10.0,
    yes: Yes = False,
) -> None:
    """Snooze a request: it ends, and no policy asks about its resource before DATE.

    At most 366 days. `finops wake` ends a snooze before its date. Exit code 4 when the vote does not count.
    """
    moment = when(until, datetime.now().astimezone().replace(tzinfo=MachineZone()))
    cluster = open_cluster(kubeconfig, context, namespace)
    found = find_request(cluster, request)
    confirm(found, "snooze", yes=yes)
    sent = cast(cluster, found, Choice.SNOOZE, reason=reason, until=moment, wait_seconds=wait)
    show_answer(cluster, sent)


COMMAND: Final = Command("snooze", _run)
