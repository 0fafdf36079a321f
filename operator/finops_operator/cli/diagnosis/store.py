"""Is the store there, durable, and what does it hold: asked with the operator's own start-up check."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from finops.errors import FinopsError, LedgerDiverged
from finops.settings import Settings
from finops.store.address import redacted, require_password
from finops.store.connection import Store, check_server, open_store
from finops.store.ledger import LedgerStream, unchecked
from finops.store.recommendations import RecommendationStore
from finops.store.slack_status import SlackStatus
from finops.store.space import Fill, Space, measure, too_full
from finops.store.webhooks import shown
from finops_operator.cli.asking import local_time
from finops_operator.cli.diagnosis.result import Result, Results, Verdict, failed, ok
from finops_operator.cli.diagnosis.seals import diagnose_seals

_PART: Final = "store"
_SLACK: Final = "slack"
_STALE_AFTER: Final = timedelta(minutes=5)


def diagnose_store(settings: Settings) -> Results:
    """Yield what is to be said about the store and about the bot, which reports about itself there."""
    if not settings.redis_url:
        yield Result(
            _PART,
            "address",
            Verdict.UNKNOWN,
            "no store is named",
            "pass --redis or set FINOPS_REDIS_URL; `finops scan -f` does without",
        )
        return
    store = None
    try:
        require_password(settings.redis_url, allow_unauthenticated=settings.store_allow_unauthenticated)
        store = open_store(settings.redis_url, prefix=settings.redis_prefix, timeout_seconds=3)
        version = check_server(store, allow_volatile=False)
        yield ok(_PART, "durability", f"{redacted(settings.redis_url)} is version {version}, syncs and never evicts")
        yield _space(measure(store))
        yield from _content(store)
        yield from _webhooks(store)
        yield from _bot(SlackStatus(store))
        yield from diagnose_seals(store)
    except FinopsError as error:
        yield failed(_PART, "durability", error)
    finally:
        if store is not None:
            store.client.close()


def _space(space: Space) -> Result:
    verdict = {
        Fill.ROOM: Verdict.OK,
        Fill.FILLING: Verdict.WARNING,
        Fill.NEARLY_FULL: Verdict.FAILED,
        Fill.UNKNOWN: Verdict.UNKNOWN,
    }[space.fill]
    return Result(_PART, "space", verdict, too_full(space) or str(space), space.hint)


def _content(store: Store) -> Results:
    policies = RecommendationStore(store).policies()
    yield ok(_PART, "scans", f"policies scanned: {len(policies)}")
    try:
        head = LedgerStream(store, unchecked).whole_head()
    except LedgerDiverged as error:
        yield failed(_PART, "ledger", error)
        return
    yield ok(_PART, "ledger", f"{head.sequence} records, head {head.hash[:16]}…")


def _webhooks(store: Store) -> Results:
    """Yield a line for each endpoint as the operator last saw it; none, none."""
    for name, seen in shown(store).items():
        if not seen:
            why = "what stands in the store about it was not written by the operator"
            yield Result("webhooks", name, Verdict.FAILED, why, "find out who writes to the store")
            continue
        dead, problem = sum(seen["dead"].values()), seen["lastError"]
        last = _when(seen["lastSuccess"])
        counts = f"{seen['host']}: last taken {last}, {seen['waiting']} waiting, {dead} given up"
        hint = "its events are tried for three days" if problem else ""
        verdict = Verdict.FAILED if problem else Verdict.WARNING if dead else Verdict.OK
        yield Result("webhooks", name, verdict, f"{counts}; {problem}" if problem else counts, hint)


def _is_old(seen: str) -> bool:
    """Whether the bot was last seen too long ago; what is no time with its zone is no sign of life."""
    try:
        return datetime.now(UTC) - datetime.fromisoformat(seen) > _STALE_AFTER
    except (ValueError, TypeError):
        return True


def _when(seen: str) -> str:
    """Return when the bot was last seen, in the reader's time zone; what is no time stays as it was written."""
    try:
        return local_time(datetime.fromisoformat(seen))
    except ValueError:
        return seen or "never"


def _bot(status: SlackStatus) -> Results:
    try:
        fields, problems = status.read()
    except ValueError:
        why = "what stands in the store about Slack was not written by the bot"
        yield Result(_SLACK, "bot", Verdict.FAILED, why, "find out who writes to the store")
        return
    if not fields and not problems:
        yield Result(
            _SLACK, "bot", Verdict.UNKNOWN, "no bot has written here", "set slack.existingSecret to deploy one"
        )
        return
    seen = fields.get("seenAt", "")
    stale = _is_old(seen)
    connected = fields.get("connected") == "true" and not stale
    workspace = fields.get("teamName") or fields.get("team") or "no workspace"
    yield Result(
        _SLACK,
        "bot",
        Verdict.OK if connected else Verdict.FAILED,
        f"{'connected' if connected else 'not connected'} to {workspace}, last seen {_when(seen)}",
        "" if connected else "read the bot's log; its tokens may be wrong or the app uninstalled",
    )
    if fields.get("sharedUser"):
        why = f"the bot uses the operator's own user {fields['sharedUser']}: a stolen bot could write what only it may"
        yield Result(
            _PART, "user of the bot", Verdict.FAILED, why, "give the bot a user of its own; see docs/install.md"
        )
    if fields.get("warning"):
        yield Result(_SLACK, "warning", Verdict.WARNING, fields["warning"])
    for channel, problem in sorted(problems.items()):
        yield Result(_SLACK, channel or "workspace", Verdict.FAILED, problem.message, problem.code)
