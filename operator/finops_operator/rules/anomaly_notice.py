"""The alert of an anomaly in words: for somebody who is woken by it, and for programs. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from finops.domain.analytics.causes import Cause
from finops.domain.analytics.expected import Alarm
from finops.domain.canonical import sha256_hex
from finops.domain.notice import Notice
from finops.domain.quantity import counted
from finops_operator.rules.notice_lines import as_of_lines

FOUND: Final = "anomaly.found"


def notice_of(
    alarm: Alarm, namespace: str, gaps: int, as_of: datetime | None, channels: tuple[str, ...], now: datetime
) -> Notice:
    """Return the announcement of an anomaly, with what changed most.

    Args:
        alarm: the anomaly.
        namespace: whose policies cover what changed.
        gaps: of their last scans.
        as_of: when the oldest of these scans ended.
        channels: where it goes in Slack.
        now: when it was noticed.
    """
    one, found = alarm.one, alarm.one.anomaly
    way = "more" if found.extra > 0 else "less"
    words = f"{found.cost:,.2f} USD on {found.first}, {found.expected:,.2f} were expected"
    causes = "; ".join(f"{cause.part.kind} in {cause.part.region} of {cause.part.account}" for cause in one.causes)
    return Notice(
        id=f"anomaly:{namespace}:{found.first}:{way}{_rest_of(alarm)}",
        type=FOUND,
        namespace=namespace,
        subject=f"Anomaly/{namespace}/{found.first}",
        time=now,
        text=f"Cost is out of the ordinary: {words}.{f' Changed most: {causes}.' if causes else ''}",
        data={
            "firstDay": found.first.isoformat(),
            "cost": f"{found.cost:.2f}",
            "expected": f"{found.expected:.2f}",
            "percent": f"{found.percent:.1f}",
            "currency": "USD",
            "causes": [_cause_to_json(cause) for cause in one.causes],
        },
        title=f"Cost of {namespace} on {found.first}: {abs(found.cost - found.expected):,.2f} USD {way} than expected",
        lines=tuple(_lines(alarm, gaps, as_of)),
        commands=("finops costs --by service",),
        page="/anomalies",
        channels=channels,
    )


def _rest_of(alarm: Alarm) -> str:
    """Return what keeps what is left of an anomaly apart from the whole, which may have been announced before.

    It is made of what was left out: which of several causes is the largest changes from scan to scan.
    """
    return f":without:{sha256_hex(list(alarm.without))[:20]}" if alarm.without else ""


def _lines(alarm: Alarm, gaps: int, as_of: datetime | None) -> list[tuple[str, str]]:
    one, found = alarm.one, alarm.one.anomaly
    much = (
        f"{found.cost:,.2f} USD on {found.first}, {found.expected:,.2f} were expected of that day "
        f"({found.percent:+.0f} %). Actual cost, not a forecast."
    )
    lines = [("How much", much)]
    if one.causes:
        lines.append(("Changed most", f"{'; '.join(_cause_words(cause) for cause in one.causes)}."))
    if alarm.without:
        lines.append(("Left out", "parts of the cost whose change is expected; the page Anomalies says by whom."))
    if gaps:
        lines.append(("Not known", f"{counted(gaps, 'gap')} of the last scans: what they hid is not in these figures."))
    return [*lines, *as_of_lines(as_of)]


def _cause_words(one: Cause) -> str:
    part = f"{one.part.kind} in {one.part.region} of {one.part.account} {one.extra:+,.2f} USD a day"
    if one.before is None or one.after is None:
        return part
    return f"{part} ({one.before} → {counted(one.after, 'resource')})"


def _cause_to_json(cause: Cause) -> dict[str, str]:
    part = cause.part
    return {"account": part.account, "region": part.region, "service": part.kind, "extraPerDay": f"{cause.extra:.2f}"}
