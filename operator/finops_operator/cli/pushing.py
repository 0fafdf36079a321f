"""Pushes a scan to a dashboard elsewhere: `finops scan --push URL`, for accounts that no operator may enter.

What was sent twice is kept once, so that a push that failed in the middle is made again as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import urllib3

from finops.domain.backoff import Backoff
from finops.domain.quantity import counted
from finops.domain.resource import Gap, Resource, Shard
from finops.domain.tags import carries
from finops.domain.utilization import Utilization
from finops.errors import InvalidInput, Refused, Unavailable
from finops.ports.clock import Clock
from finops.settings import Settings
from finops.store.connection import Store
from finops.store.inventory import InventoryStore
from finops.store.recommendations import PolicyHead, RecommendationStore
from finops.store.utilization import UtilizationStore
from finops_operator.cli.output import note
from finops_operator.scan.scan import ScanOutcome

_LARGEST_BODY: Final = 60 * 1024
_MOST_AT_ONCE: Final = 500
_LARGEST_RESOURCE: Final = 15 * 1024
_SEEN_AT_ONCE: Final = 300
_MOST_GAPS: Final = 100
_LONGEST_WORD: Final = 256
_ATTEMPTS: Final = 6
_BACKOFF: Final = Backoff(first=1.0, longest=30.0)
_LATER: Final = frozenset({408, 429, 500, 502, 503, 504})
"""Answers after which the same push may succeed."""
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_ACCOUNT: Final = re.compile(r"[0-9]{12}")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a scan is pushed.

    Attributes:
        url: of the dashboard, without a slash at its end.
        namespace: empty: that of the token's service account.
    """

    url: str
    namespace: str
    token: str


def target_of(url: str, namespace: str, token_file: str, settings: Settings) -> Target | None:
    """Return where to push, None where nothing of the command line says so.

    Raises:
        InvalidInput: the address is none, or would send the token in clear; there is no token.
    """
    if not url and not namespace and not token_file:
        return None
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise InvalidInput("is no address of a dashboard", field="--push", hint="such as https://finops.example.org")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise InvalidInput(
            "would send the token in clear", field="--push", hint="use https, or kubectl port-forward to this machine"
        )
    token = _token_in(token_file) if token_file else settings.push_token
    if not token:
        raise InvalidInput(
            "is needed with --push: a token of the cluster that may push",
            field="--push-token-file",
            hint="or set FINOPS_PUSH_TOKEN; kubectl create token makes one",
        )
    return Target(url.rstrip("/"), namespace, token)


def _token_in(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not text"
        raise InvalidInput(f"cannot read {path}: {why}", field="--push-token-file") from None


class Pusher:
    """Sends scans to one dashboard."""

    def __init__(self, target: Target, clock: Clock, http: urllib3.PoolManager | None = None) -> None:
        self._target = target
        self._clock = clock
        self._http = http or urllib3.PoolManager(timeout=urllib3.Timeout(connect=10.0, read=60.0), retries=False)

    def push(self, outcome: ScanOutcome, store: Store, progress: Callable[[str], None]) -> int:
        """Send what a scan saw, and then what it could not see; return how many resources were sent.

        Raises:
            Refused: the token is not taken, or may not push there.
            InvalidInput: the dashboard does not take something; names it.
            Unavailable: the dashboard did not answer six times in a row; some of it may be kept, push again.
            StoreUnavailable: the store of the scan went away.
        """
        namespace, _, name = outcome.summary.policy.partition("/")
        head = RecommendationStore(store).head((namespace, name))
        if head is None:
            return 0
        run = head.generation
        sent, whole, skipped = 0, dict[Shard, int](), list[Gap]()
        for shard, generation in head.shards:
            count, large = 0, 0
            for batch, too_large in _batches(_resources(store, head, shard, generation)):
                if batch:
                    self._send("/api/resources", {"run": run}, batch)
                count, large = count + len(batch), large + too_large
                progress(f"pushing: {sent + count:,} resources")
            sent += count
            newest = InventoryStore(store, prolongs=False).head(shard)
            if large:
                skipped.append(_not_sent(shard, large))
            elif newest is not None and not newest.gaps and newest.pages >= newest.expected_pages:
                whole[shard] = count
        self._end(run, whole, [*outcome.summary.gaps, *skipped])
        return sent

    def _end(self, run: str, whole: Mapping[Shard, int], gaps: Sequence[Gap]) -> None:
        accounts = sorted({shard.account for shard in whole} | {gap.account for gap in gaps})
        for account in accounts:
            if not _ACCOUNT.fullmatch(account):
                # The name of an object whose account is not known: there is nobody to show it to.
                continue
            seen = [
                {"account": account, "region": shard.region, "kind": shard.kind, "resources": count}
                for shard, count in whole.items()
                if shard.account == account
            ]
            lacking = [_gap_to_json(gap) for gap in gaps if gap.account == account][:_MOST_GAPS]
            for start in range(0, max(len(seen), 1), _SEEN_AT_ONCE):
                body = {"accounts": [account], "seen": seen[start : start + _SEEN_AT_ONCE], "gaps": lacking}
                self._send("/api/pushes", {"run": run}, body)

    def _send(self, path: str, query: Mapping[str, str], body: Any) -> None:
        words = {**query, **({"namespace": self._target.namespace} if self._target.namespace else {})}
        address = f"{self._target.url}{path}?{urlencode(words)}"
        for failures in range(1, _ATTEMPTS + 1):
            problem, wait = self._try(address, body)
            if not problem:
                return
            if failures < _ATTEMPTS:
                pause = max(wait, _BACKOFF.pause(failures))
                note(f"{problem}; trying again in {pause:.0f} s")
                self._clock.sleep(pause)
        raise Unavailable(
            f"the dashboard took no push {_ATTEMPTS} times in a row: {problem}",
            code="PushUnavailable",
            hint=f"check {self._target.url}; then push again, nothing is counted twice",
        )

    def _try(self, address: str, body: Any) -> tuple[str, float]:
        """Send once; return why it may succeed later and after how many seconds, or an empty text."""
        headers = {"Authorization": f"Bearer {self._target.token}", "Content-Type": "application/json"}
        try:
            answer = self._http.request(
                "POST", address, body=json.dumps(body).encode(), headers=headers, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            return f"{self._target.url} does not answer ({type(error).__name__})", 0.0
        if answer.status in _LATER:
            asked = answer.headers.get("Retry-After", "")
            return f"{self._target.url} answers {answer.status}", min(float(asked), 300.0) if asked.isdecimal() else 0.0
        if answer.status != 201:
            raise _refusal(answer.status, answer.data)
        return "", 0.0


def _resources(store: Store, head: PolicyHead, shard: Shard, generation: str) -> Iterator[dict[str, Any]]:
    """Yield what the policy selects of a shard, as `POST /api/resources` takes it."""
    measured = UtilizationStore(store)
    for page in InventoryStore(store, prolongs=False).pages(shard, generation):
        used = measured.summaries(shard, [one.id for one in page])
        for one in page:
            if carries(one.tags, head.include_tags, head.exclude_tags):
                yield _to_json(one, used.get(one.id))


def _to_json(one: Resource, used: Utilization | None) -> dict[str, Any]:
    month = used.month if used is not None else {}
    return {
        "kind": one.kind,
        "id": one.id,
        "arn": one.arn,
        "name": one.name[:_LONGEST_WORD],
        "account": one.account,
        "region": one.region or "global",
        "state": one.state,
        "tags": dict(one.tags),
        "created": one.created.isoformat() if one.created else None,
        "attributes": dict(one.attributes),
        "monthly_use": {name: {"amount": use.amount, "hours": use.hours} for name, use in month.items()},
    }


def _batches(items: Iterator[dict[str, Any]]) -> Iterator[tuple[list[dict[str, Any]], int]]:
    """Yield what fits one body, with how many before it were too large to be sent at all."""
    batch, size, large = list[dict[str, Any]](), 2, 0
    for one in items:
        length = len(json.dumps(one)) + 2
        if length > _LARGEST_RESOURCE:
            large += 1
            continue
        if batch and (size + length > _LARGEST_BODY or len(batch) == _MOST_AT_ONCE):
            yield batch, large
            batch, size, large = [], 2, 0
        batch.append(one)
        size += length
    yield batch, large


def _not_sent(shard: Shard, count: int) -> Gap:
    return Gap(
        shard.account,
        shard.region,
        "push",
        "push",
        "TooLarge",
        f"{counted(count, 'resource')} of {shard.kind} with more than 15 KiB of tags and facts could not be pushed.",
        count,
    )


def _gap_to_json(gap: Gap) -> dict[str, Any]:
    words = gap.to_json()
    return {key: value[:_LONGEST_WORD] if isinstance(value, str) else value for key, value in words.items()}


def _refusal(status: int, data: bytes) -> Exception:
    """Return what the dashboard's answer means for the person."""
    try:
        error = json.loads(data)["error"]
        message, hint, field = str(error["message"]), str(error["hint"]), str(error.get("field", ""))
    except (ValueError, KeyError, TypeError):
        return InvalidInput(
            f"answers {status}, and not as a dashboard does",
            field="--push",
            hint="name the dashboard's own address, without /api",
        )
    if status in {401, 403}:
        return Refused(f"the dashboard refuses the push: {message}", code="PushRefused", hint=hint)
    return InvalidInput(f"the dashboard does not take it ({status}): {message}", field=field or "--push", hint=hint)
