"""Recommendations of each policy: one generation per scan, made visible by one swap together with its totals.

Written by the pipeline; read by the propose stage, the command line, the web pages and the next scan (which keeps its
advice from flapping). Money is a decimal string, here as in every JSON of the product.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from finops.domain.money import as_text
from finops.domain.recommendation import (
    ActionType,
    Block,
    Effort,
    EvidenceFact,
    NotRecommended,
    PerformanceRisk,
    Recommendation,
    ResourceRef,
    Status,
)
from finops.domain.report import Savings, ScanSummary, ShardCost, StatusSum
from finops.domain.resource import Shard
from finops.errors import StoreUnsafe
from finops.store.connection import Store, store_errors
from finops.store.cost_history import cost_from_text, cost_to_text
from finops.store.inventory import gaps_from_text, gaps_to_text

_UNFINISHED_SECONDS: Final = 86_400
_REPLACED_SECONDS: Final = 3_600
_PAGE: Final = 200
_PARTS: Final = ("recs", "by-saving", "why", "targets")
_SWAP: Final = """
local began = redis.call('HGET', KEYS[1], 'startTime') or ''
if began > ARGV[6] and began <= ARGV[7] then return 0 end
local replaced = redis.call('HGET', KEYS[1], 'generation') or ''
for at = 3, #KEYS do redis.call('PERSIST', KEYS[at]) end
if replaced ~= '' and replaced ~= ARGV[2] then
  for part in string.gmatch(ARGV[4], '%S+') do
    redis.call('EXPIRE', ARGV[3] .. replaced .. ':' .. part, ARGV[5])
  end
end
redis.call('HSET', KEYS[1], unpack(ARGV, 8))
redis.call('SADD', KEYS[2], ARGV[1])
return 1
"""
_FORGET: Final = """
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[2] then return 0 end
for part in string.gmatch(ARGV[4], '%S+') do
  redis.call('EXPIRE', ARGV[3] .. ARGV[2] .. ':' .. part, ARGV[5])
end
redis.call('DEL', KEYS[1])
redis.call('SREM', KEYS[2], ARGV[1])
return 1
"""
_CORRECT: Final = """
if redis.call('HGET', KEYS[1], 'generation') ~= ARGV[1] then return 0 end
if redis.call('HGET', KEYS[1], 'savings') ~= ARGV[2] then return 0 end
for at = 4, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[at], ARGV[at + 1]) end
redis.call('HSET', KEYS[1], 'savings', ARGV[3])
return 1
"""
_UNKNOWN_SAVING: Final = -1.0
"""Score of a recommendation without a price: after all others."""


class HeadUnreadable(StoreUnsafe):
    """What the store holds of a policy's last scan cannot be read; the next scan writes it anew."""


@dataclass(frozen=True, slots=True)
class PolicyHead:
    """What is known of a policy's visible generation.

    Attributes:
        summary: totals and gaps, the same values as in status and report.
        shards: the inventory generations that the scan judged; a generation is kept for an hour after it is replaced.
        costs: cost and number per shard of the resources that the policy selects; they add up to the summary's. A
            shard of which it selects nothing is absent.
        include_tags, exclude_tags: the policy's selector at the time of the scan.
        hours_per_month: what the policy multiplies hourly prices with.
        uid: which object of that name was scanned; empty when it was none of a cluster.
        unlisted: shards that an earlier scan listed and this one could not, though the policy still names them.
    """

    generation: str
    summary: ScanSummary
    shards: tuple[tuple[Shard, str], ...]
    costs: Mapping[Shard, ShardCost] = field(default_factory=dict)
    include_tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    exclude_tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hours_per_month: int = 730
    uid: str = ""
    unlisted: tuple[Shard, ...] = ()

    @property
    def covered(self) -> frozenset[Shard]:
        """Return all shards whose cost the policy counts: what could not be listed now costs something as well."""
        return frozenset((*(shard for shard, _ in self.shards), *self.unlisted))


class RecommendationStore:
    """Recommendations of all policies.

    Raises (all methods):
        StoreUnavailable: the server does not answer.
    """

    def __init__(self, store: Store) -> None:
        self._client: Any = store.client
        self._keys = store.keys
        self._swap: Any = store.client.register_script(_SWAP)
        self._correct: Any = store.client.register_script(_CORRECT)
        self._forget: Any = store.client.register_script(_FORGET)

    def add(
        self,
        policy: tuple[str, str],
        generation: str,
        recommendations: Sequence[Recommendation],
        why: Sequence[NotRecommended],
    ) -> None:
        """Write what one page of resources brought into an invisible generation; repeating it changes nothing.

        `policy` is (namespace, name).
        """
        records = {one.id: recommendation_to_text(one) for one in recommendations}
        scores = {one.id: _score(one) for one in recommendations}
        targets = {f"{one.check} {one.resource.id}": one.target for one in recommendations}
        reasons = {f"{one.check} {one.resource_id}": one.reason for one in why}
        with store_errors(), self._client.pipeline(transaction=False) as pipe:
            for part, mapping in zip(_PARTS, (records, scores, reasons, targets), strict=True):
                if not mapping:
                    continue
                key = self._part(policy, generation, part)
                if part == "by-saving":
                    pipe.zadd(key, mapping)
                else:
                    pipe.hset(key, mapping=mapping)
                pipe.expire(key, _UNFINISHED_SECONDS)
            pipe.execute()

    def swap(self, policy: tuple[str, str], head: PolicyHead) -> None:
        """Make `head.generation` the visible one in one step; the replaced one goes after an hour.

        When two processes scan one policy at the same time (the one is being replaced by the other), the scan that
        began last stays visible, whichever ends last. A head that claims to have begun after this scan ended is
        replaced: such a clock was wrong.
        """
        pointer = self._keys.policy(*policy).head
        parts = [self._part(policy, head.generation, part) for part in _PARTS]
        named = self._named(policy, head.generation)
        fields = [word for pair in _head_to_fields(head).items() for word in pair]
        times = [moment.isoformat() for moment in (head.summary.start_time, head.summary.completion_time)]
        with store_errors():
            self._swap(keys=[pointer, self._keys.policies, *parts], args=[*named, _REPLACED_SECONDS, *times, *fields])

    def head(self, policy: tuple[str, str]) -> PolicyHead | None:
        """Return the policy's head, None when no scan of it has ended.

        Raises:
            HeadUnreadable: there is one, and it is no head.
        """
        with store_errors():
            fields = self._client.hgetall(self._keys.policy(*policy).head)
        try:
            return _head_from_fields(fields) if fields else None
        except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
            raise HeadUnreadable(
                f"what the store holds of the last scan of {'/'.join(policy)} cannot be read:"
                f" {type(error).__name__}: {error}",
                hint="scan the policy again",
            ) from error

    def policies(self) -> tuple[tuple[str, str], ...]:
        """Return (namespace, name) of every policy that has a head, sorted."""
        with store_errors():
            names = self._client.smembers(self._keys.policies)
        pairs = (str(name).partition("/") for name in names)
        return tuple(sorted((namespace, name) for namespace, _, name in pairs))

    def forget(self, policy: tuple[str, str], generation: str) -> None:
        """Drop everything of a policy that no longer exists, unless its visible generation is another one by now.

        Who reads it just now has an hour to end.
        """
        pointers = [self._keys.policy(*policy).head, self._keys.policies]
        with store_errors():
            self._forget(keys=pointers, args=[*self._named(policy, generation), _REPLACED_SECONDS])

    def stream(self, policy: tuple[str, str], generation: str = "") -> Iterator[Recommendation]:
        """Yield recommendations by saving, largest first, unknown savings last; a page of them in memory.

        `generation` empty: the visible one, held for the whole iteration.
        """
        chosen = generation or self._visible(policy)
        if not chosen:
            return
        start = 0
        while True:
            with store_errors():
                ids = self._client.zrevrange(self._part(policy, chosen, "by-saving"), start, start + _PAGE - 1)
                texts = self._client.hmget(self._part(policy, chosen, "recs"), ids) if ids else []
            yield from (recommendation_from_text(text) for text in texts if text)
            if len(ids) < _PAGE:
                return
            start += _PAGE

    def get(self, policy: tuple[str, str], recommendation_id: str) -> Recommendation | None:
        """Return one recommendation of the visible generation."""
        generation = self._visible(policy)
        with store_errors():
            text = self._client.hget(self._part(policy, generation, "recs"), recommendation_id)
        return recommendation_from_text(text) if text else None

    def correct(self, policy: tuple[str, str], changed: Sequence[Recommendation]) -> None:
        """Replace records of the visible generation, and move their savings between the statuses in its head.

        Called by the proposer with what it found out about them, one policy at a time. Records that went in between
        stay gone.
        """
        pointer = self._keys.policy(*policy).head
        for start in range(0, len(changed), _PAGE):
            page = changed[start : start + _PAGE]
            with store_errors():
                generation, before = self._client.hmget(pointer, "generation", "savings")
            if not generation or not before:
                return
            records = self._part(policy, str(generation), "recs")
            with store_errors():
                texts = self._client.hmget(records, [one.id for one in page])
            known = [(one, recommendation_from_text(text)) for one, text in zip(page, texts, strict=True) if text]
            savings = _savings_from_text(before)
            for one, was in known:
                savings = savings.moved(was, one.status) if was.counted else savings
            written = [word for one, _ in known for word in (one.id, recommendation_to_text(one))]
            with store_errors():
                self._correct(keys=[pointer, records], args=[generation, before, savings_to_text(savings), *written])

    def reasons(
        self, policy: tuple[str, str], generation: str, wanted: Sequence[tuple[str, str]]
    ) -> list[NotRecommended]:
        """Return why nothing was recommended, for those of the (check, resource id) pairs that have a reason."""
        texts = self._fields(policy, generation, "why", wanted)
        return [
            NotRecommended(check, resource_id, text)
            for (check, resource_id), text in zip(wanted, texts, strict=True)
            if text is not None
        ]

    def previous_targets(
        self, policy: tuple[str, str], wanted: Sequence[tuple[str, str]]
    ) -> dict[tuple[str, str], str]:
        """Return (check, resource id) → target of the visible generation's advice, where there is one."""
        texts = self._fields(policy, self._visible(policy), "targets", wanted)
        return {pair: text for pair, text in zip(wanted, texts, strict=True) if text}

    def _fields(
        self, policy: tuple[str, str], generation: str, part: str, wanted: Sequence[tuple[str, str]]
    ) -> list[str | None]:
        if not wanted or not generation:
            return [None] * len(wanted)
        with store_errors():
            names = [f"{check} {resource_id}" for check, resource_id in wanted]
            found: list[str | None] = self._client.hmget(self._part(policy, generation, part), names)
        return found

    def _visible(self, policy: tuple[str, str]) -> str:
        with store_errors():
            return str(self._client.hget(self._keys.policy(*policy).head, "generation") or "")

    def _named(self, policy: tuple[str, str], generation: str) -> list[str]:
        """Return what the scripts get of a generation, so that they find its parts and those of another one."""
        prefix = self._keys.policy(*policy).head.removesuffix("head")
        return ["/".join(policy), generation, prefix, " ".join(_PARTS)]

    def _part(self, policy: tuple[str, str], generation: str, part: str) -> str:
        return self._keys.policy(*policy).part(generation, part)


def _score(one: Recommendation) -> float:
    # A float only orders; the exact figure is in the record. Alternatives follow the one that counts.
    saving = _UNKNOWN_SAVING if one.monthly_savings is None else float(one.monthly_savings)
    return saving if one.counted else saving - 1e-6


def recommendation_to_json(one: Recommendation) -> dict[str, Any]:
    """Return the JSON of interfaces: camelCase, money as decimal strings, nulls where nothing is known."""
    ref = one.resource
    return {
        "id": one.id,
        "policy": one.policy,
        "check": one.check,
        "action": one.action,
        "actionType": one.action_type.value,
        "destructive": one.destructive,
        "resource": {
            "kind": ref.kind,
            "id": ref.id,
            "arn": ref.arn,
            "account": ref.account,
            "region": ref.region,
            "name": ref.name,
        },
        "parameters": dict(one.parameters),
        "currentMonthlyCost": as_text(one.current_monthly_cost),
        "newMonthlyCost": as_text(one.new_monthly_cost),
        "monthlySavings": as_text(one.monthly_savings),
        "listMonthlySavings": as_text(one.list_monthly_savings),
        "netMonthlySavings": as_text(one.net_monthly_savings),
        "netNote": one.net_note,
        "savingUnknown": one.saving_unknown,
        "currency": one.currency,
        "priceSource": one.price_source,
        "priceAsOf": one.price_as_of,
        "effort": one.effort.value,
        "restartNeeded": one.restart_needed,
        "rollbackPossible": one.rollback_possible,
        "evidence": dict(one.evidence),
        "summary": one.summary,
        "group": one.group,
        "counted": one.counted,
        "alternatives": [dict(item) for item in one.alternatives],
        "advice": one.advice,
        "attributes": dict(one.attributes),
        "target": one.target,
        "facts": [{"label": fact.label, "value": fact.value} for fact in one.facts],
        "expectation": one.expectation,
        "performanceRisk": one.performance_risk.value if one.performance_risk else None,
        "status": one.status.value,
        "blockedBy": [{"code": block.code, "message": block.message} for block in one.blocked_by],
        "note": one.note,
        "tags": dict(one.tags),
        "lastsDays": one.lasts_days or None,
    }


def recommendation_from_json(record: Mapping[str, Any]) -> Recommendation:
    """Return the recommendation behind `recommendation_to_json`."""
    return Recommendation(
        id=record["id"],
        policy=record["policy"],
        check=record["check"],
        action=record["action"],
        action_type=ActionType(record["actionType"]),
        destructive=record["destructive"],
        resource=ResourceRef(**record["resource"]),
        parameters=record["parameters"],
        current_monthly_cost=_money(record["currentMonthlyCost"]),
        new_monthly_cost=_money(record["newMonthlyCost"]),
        monthly_savings=_money(record["monthlySavings"]),
        price_source=record["priceSource"],
        price_as_of=record["priceAsOf"],
        effort=Effort(record["effort"]),
        restart_needed=record["restartNeeded"],
        rollback_possible=record["rollbackPossible"],
        evidence=record["evidence"],
        summary=record["summary"],
        group=record["group"],
        counted=record["counted"],
        alternatives=tuple(record["alternatives"]),
        advice=record["advice"],
        currency=record["currency"],
        attributes=record["attributes"],
        target=record["target"],
        facts=tuple(EvidenceFact(**fact) for fact in record["facts"]),
        expectation=record["expectation"],
        performance_risk=PerformanceRisk(record["performanceRisk"]) if record["performanceRisk"] else None,
        status=Status(record["status"]),
        blocked_by=tuple(Block(**block) for block in record["blockedBy"]),
        note=record["note"],
        tags=record["tags"],
        lasts_days=record.get("lastsDays") or 0,
        # A record of an older release has none of the three: its net saving is not known.
        list_monthly_savings=_money(record.get("listMonthlySavings", record["attributes"].get("listMonthlySavings"))),
        net_monthly_savings=_money(record.get("netMonthlySavings")),
        net_note=record.get("netNote") or "",
        saving_unknown=record.get("savingUnknown") or "",
    )


def recommendation_to_text(one: Recommendation) -> str:
    """Return the stored record."""
    return json.dumps(recommendation_to_json(one), separators=(",", ":"))


def recommendation_from_text(text: str) -> Recommendation:
    """Return the recommendation behind a stored record."""
    return recommendation_from_json(json.loads(text))


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def _head_to_fields(head: PolicyHead) -> dict[str, str | int]:
    summary = head.summary
    return {
        "generation": head.generation,
        "policy": summary.policy,
        "startTime": summary.start_time.isoformat(),
        "completionTime": summary.completion_time.isoformat(),
        "resources": summary.resources,
        "monthlyCost": f"{summary.monthly_cost:f}",
        "unpricedResources": summary.unpriced_resources,
        "unknownResources": summary.unknown_resources,
        "groups": summary.groups,
        "savings": savings_to_text(summary.savings),
        "gaps": gaps_to_text(summary.gaps),
        "apiCalls": json.dumps(dict(summary.api_calls), separators=(",", ":")),
        "estimatedApiCost": f"{summary.estimated_api_cost:f}",
        "currency": summary.currency,
        "completeFailure": summary.complete_failure,
        "shards": json.dumps([[str(shard), generation] for shard, generation in head.shards], separators=(",", ":")),
        "costs": json.dumps(
            {str(shard): cost_to_text(cost) for shard, cost in head.costs.items()}, separators=(",", ":")
        ),
        "includeTags": _tags_to_text(head.include_tags),
        "excludeTags": _tags_to_text(head.exclude_tags),
        "hoursPerMonth": head.hours_per_month,
        "uid": head.uid,
        "unlisted": json.dumps([str(shard) for shard in head.unlisted], separators=(",", ":")),
    }


def savings_to_text(savings: Savings) -> str:
    """Return the stored form of savings by status: money a month, number, money that comes once, how many unknown."""
    parts = {"actionable": savings.actionable, "advice": savings.advice, "blocked": savings.blocked}
    shown = {
        name: [
            f"{part.monthly_savings:f}",
            part.count,
            f"{part.once_savings:f}",
            *([part.unknown] if part.unknown else []),
        ]
        for name, part in parts.items()
    }
    return json.dumps(shown)


def _savings_from_text(text: str) -> Savings:
    parts = json.loads(text)
    # What an earlier release wrote holds two figures, and nothing that comes once, or three and none that are unknown.
    return Savings(
        **{
            name: StatusSum(Decimal(money), count, Decimal(rest[0] if rest else "0.00"), rest[1] if rest[1:] else 0)
            for name, (money, count, *rest) in parts.items()
        }
    )


def _tags_to_text(tags: Mapping[str, Sequence[str]]) -> str:
    return json.dumps({key: list(values) for key, values in tags.items()}, separators=(",", ":"))


def _head_from_fields(fields: Mapping[str, str]) -> PolicyHead:
    shards = tuple((Shard(*name.split(":", 2)), generation) for name, generation in json.loads(fields["shards"]))
    summary = ScanSummary(
        policy=fields["policy"],
        start_time=datetime.fromisoformat(fields["startTime"]),
        completion_time=datetime.fromisoformat(fields["completionTime"]),
        resources=int(fields["resources"]),
        monthly_cost=Decimal(fields["monthlyCost"]),
        unpriced_resources=int(fields["unpricedResources"]),
        unknown_resources=int(fields["unknownResources"]),
        # A head of an older release counts no groups.
        groups=int(fields.get("groups", 0)),
        savings=_savings_from_text(fields["savings"]),
        gaps=gaps_from_text(fields["gaps"]),
        api_calls=json.loads(fields["apiCalls"]),
        estimated_api_cost=Decimal(fields["estimatedApiCost"]),
        currency=fields["currency"],
        complete_failure=fields["completeFailure"],
    )
    costs = json.loads(fields["costs"])
    return PolicyHead(
        fields["generation"],
        summary,
        shards,
        costs={Shard(*name.split(":", 2)): cost_from_text(cost) for name, cost in costs.items()},
        include_tags={key: tuple(values) for key, values in json.loads(fields["includeTags"]).items()},
        exclude_tags={key: tuple(values) for key, values in json.loads(fields["excludeTags"]).items()},
        hours_per_month=int(fields["hoursPerMonth"]),
        uid=fields["uid"],
        # A head of an older release does not name them.
        unlisted=tuple(Shard(*name.split(":", 2)) for name in json.loads(fields.get("unlisted", "[]"))),
    )
