"""GET /api/anomalies: days whose cost was out of the ordinary; POST /api/anomalies/…: what people expect of them."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Header
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from finops.domain.analytics.anomalies import WARM_UP_DAYS
from finops.domain.analytics.causes import GATES, Cause, Explained, explained
from finops.domain.analytics.comparing import comparable
from finops.domain.analytics.expected import Expected, Way
from finops.domain.analytics.series import added
from finops.domain.resource import Gap, Shard
from finops.errors import Refused
from finops_web.answers import success
from finops_web.context import Asked, Visit
from finops_web.readings.expected import ReadExpected, end, expected_in, extra_of, last_day, may_say, reason_of, say
from finops_web.readings.history import gaps_of, left_out_of
from finops_web.readings.policies import trust_in
from finops_web.written_days import Day

ROUTER = APIRouter(tags=["costing"])
_Word: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=64)]
_FormSecret: TypeAlias = Annotated[
    str, Header(max_length=128, description="Of the form, where a browser's session says so; programs need none.")
]


@ROUTER.get("/api/anomalies")
def anomalies(asked: Visit) -> dict[str, Any]:
    """List anomalies of the whole cost, the latest first; `reason` says why there can be none yet.

    What was pushed is not watched. `leftOut` says which parts of the cost are not, since their last days, or more than
    three days in the last four weeks, are not known or have no price.
    """
    parts, today = asked.parts.history.parts(asked.policies()), asked.parts.history.today()
    series = added(comparable(parts, today), today)
    known = len(series.values) if series else 0
    said = expected_in(asked.visitor, asked.namespaces(), today)
    data = {
        "anomalies": [anomaly_to_json(one, said) for one in explained(parts, today)],
        "historyDays": known,
        "gates": {"score": GATES.score, "moneyPerDay": GATES.money, "percent": GATES.percent},
        "notRead": [{"policy": policy, "problem": words} for policy, words in said.not_read()],
        "leftOut": list(left_out_of(parts, today)),
        "reason": "" if known > WARM_UP_DAYS else f"not enough history: {known} of {WARM_UP_DAYS + 1} days",
    }
    return _success(asked, data, (*said.gaps, *gaps_of(parts)))


class PartOfCost(BaseModel):
    """One part of the cost and the direction in which it changes."""

    model_config = ConfigDict(extra="forbid")

    account: _Word = Field(description="As a cause names it.")
    region: _Word = Field(description="As a cause names it.")
    service: _Word = Field(description="As a cause names it.")
    way: Way = Field(description="More or Less: the sign of the cause's `extraPerDay`.")

    @property
    def shard(self) -> Shard:
        return Shard(self.account, self.region, self.service)


class ExpectedChange(PartOfCost):
    """A change of a part of the cost that somebody expects."""

    until: Day = Field(description="The last day, in UTC, on which it alerts nobody; at most 366 days from now.")
    reason: str = Field(min_length=1, max_length=300, description="Why it is expected.")
    extraPerDay: str = Field(  # noqa: N815 - the name that the annotation has
        pattern=r"^[0-9]{1,12}(\.[0-9]{1,2})?$",
        description="By how much it has changed, in US dollars a day, above zero; more than twice that alerts anyway.",
    )


@ROUTER.post("/api/anomalies/expected", status_code=201)
def expect_change(asked: Visit, sent: ExpectedChange, x_form_secret: _FormSecret = "") -> dict[str, Any]:
    """Say that a change of a part of the cost is expected, on a policy of every namespace where you may patch policies.

    Said again it replaces what was said before. It is listed in `/api/anomalies` with who said so and why.
    """
    asked.require_form(x_form_secret)
    one, written = expect(asked, sent.shard, sent.way, (sent.until.isoformat(), sent.reason, sent.extraPerDay))
    return success({"expected": one.to_json(), "policies": list(written)}, as_of=asked.parts.clock.now())


@ROUTER.post("/api/anomalies/alert-again")
def alert_again(asked: Visit, sent: PartOfCost, x_form_secret: _FormSecret = "") -> dict[str, Any]:
    """End what is expected of a part of the cost, wherever you may; `policies` is empty where nothing was expected."""
    asked.require_form(x_form_secret)
    policies = list(end_expected(asked, sent.shard, sent.way))
    return success({"policies": policies}, as_of=asked.parts.clock.now())


def expect(asked: Asked, part: Shard, way: Way, words: tuple[str, str, str]) -> tuple[Expected, tuple[str, ...]]:
    """Write that a change is expected, and return it with the policies it stands on.

    Args:
        asked: whose word it is.
        part: of the cost.
        way: the direction.
        words: the last day, the reason, and the change in US dollars a day.

    Raises:
        Refused: the visitor may not, or too much is expected there already.
        InvalidInput: the day, the reason or the change cannot be taken.
        NotFound, ClusterUnavailable: as `say`.
    """
    now, (until, reason, extra) = asked.parts.clock.now(), words
    namespaces = _open_to(asked, part)
    last, why, most = last_day(until, now), reason_of(reason), extra_of(extra)
    name, at = asked.visitor.name[:256], now.replace(microsecond=0)
    one = Expected(part.account, part.region, part.kind, way, why, last, name, at, most)
    return one, say(asked.visitor, namespaces, one, now)


def end_expected(asked: Asked, part: Shard, way: Way) -> tuple[str, ...]:
    """End what is expected of a part; return the policies that had it. Raises as `expect`."""
    now = asked.parts.clock.now()
    mark = Expected(part.account, part.region, part.kind, way, "", now.date(), "", now, Decimal(0)).mark
    return end(asked.visitor, _open_to(asked, part), mark, now)


def _open_to(asked: Asked, part: Shard) -> frozenset[str]:
    found = may_say(asked.policies(), part, asked.may_change_policies)
    if not found:
        raise Refused(
            "you may not say so: it is written on a policy that covers this part of the cost",
            code="Forbidden",
            hint="ask for patch on scanpolicies in its namespace",
        )
    return found


def anomaly_to_json(one: Explained, said: ReadExpected) -> dict[str, Any]:
    """Return an anomaly with its causes, money a day; `expected` names who expects a cause, null where nobody does."""
    found = one.anomaly
    return {
        "firstDay": found.first.isoformat(),
        "lastDay": found.last.isoformat(),
        "cost": round(found.cost, 2),
        "expected": round(found.expected, 2),
        "percent": round(found.percent, 1),
        "extra": round(found.extra, 2),
        "score": round(found.score, 1),
        "causes": [_cause_to_json(cause, said.of(cause, found.first)) for cause in one.causes],
    }


def _cause_to_json(one: Cause, said: Expected | None) -> dict[str, Any]:
    return {
        "account": one.part.account,
        "region": one.part.region,
        "service": one.part.kind,
        "extraPerDay": round(one.extra, 2),
        "resourcesBefore": one.before,
        "resourcesAfter": one.after,
        "expected": None if said is None else {"until": said.until.isoformat(), "reason": said.reason, "by": said.by},
    }


def _success(asked: Asked, data: Any, gaps: tuple[Gap, ...]) -> dict[str, Any]:
    trust = trust_in(asked.policies(), 0, 0, asked.parts.clock.now(), gaps)
    return success(data, as_of=trust.oldest, gaps=trust.gaps)
