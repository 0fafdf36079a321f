"""Watches acts, undos too, in the hours after them: reads AWS, says a worse state once, asks for a vote on its undo.

A worse state pauses further acts of the kind and policy, as a failure does, whether or not the undo is carried out.
A loop of the composition root, in a thread of its own: no vote and no act waits for its reads. It changes nothing in
AWS. What it asks for is answered like a person's ask, and nothing is undone without the approvals that the act needed.
Nothing of a watch is remembered but when it is read next: the ledger says when an act was verified, what was said and
what has ended, so another process goes on where this one was.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Final

from finops.crds.action_request import ActionRequest
from finops.crds.aws_account import AwsAccount
from finops.crds.request_status import WatchStatus
from finops.crds.scan_policy import ScanPolicy
from finops.domain.audit import Record
from finops.domain.decision import State
from finops.domain.watching import PROPOSE_UNDO, Health, Sign, reason, verdict
from finops.errors import AwsError, Conflict, FinopsError, Refused
from finops.k8s.events import Events
from finops.ports.aws_access import Tenant
from finops.ports.aws_steps import ExecutorSessions
from finops.ports.clock import Clock
from finops.ports.ledger import Ledger
from finops_operator.background import Background
from finops_operator.cluster.objects import Gone, Objects
from finops_operator.decisions.pauses import WORSE, Failure, Pauses
from finops_operator.decisions.spoken import scope_of
from finops_operator.killpoint import killpoint
from finops_operator.plugins.action import Action, Watch, WatchedAct
from finops_operator.rules import request_status
from finops_operator.rules.access import access_of, revoked
from finops_operator.rules.log_fields import request_fields
from finops_operator.rules.votes import request_reference
from finops_operator.rules.watching import WatchedTime, read_late, watch_entry, watch_shown, watched_time

logger = logging.getLogger(__name__)
_PASS_SECONDS: Final = 10.0
LONGEST_WATCH: Final = timedelta(hours=168)


@dataclass(frozen=True, slots=True)
class Watching:
    """Goes through the acts that have succeeded.

    Attributes:
        policy_of, account_of: the objects as they are now, by namespace and name, and by name.
        is_ours: whether the ledger knows a request as it is.
        may_write: whether this process holds the lease.
        seconds: how often AWS is read for an act.
    """

    requests: Objects[ActionRequest]
    policy_of: Callable[[str, str], ScanPolicy | None]
    account_of: Callable[[str, str], AwsAccount | None]
    actions: Mapping[str, Action]
    sessions: ExecutorSessions
    ledger: Ledger
    events: Events
    clock: Clock
    fence: Callable[[], int]
    is_ours: Callable[[ActionRequest], bool]
    may_write: Callable[[], bool]
    background: Background
    seconds: float
    _next: dict[str, float] = field(default_factory=dict)
    """Request uid → when it is read again, by the monotonic clock."""
    _done: set[str] = field(default_factory=set)
    """Requests whose watch has ended and is shown, so that the ledger is asked once."""

    def run(self, stop: threading.Event) -> None:
        """Go through all acts every few seconds until `stop` is set."""
        while not stop.wait(min(self.seconds, _PASS_SECONDS)):
            if self.may_write():
                self.go_through(stop)

    def go_through(self, stop: threading.Event) -> None:
        """Read each act whose time has come; what does not work now is tried again at its next time."""
        for request in self.requests.cache.all():
            if stop.is_set():
                return
            if not self._is_due(request):
                continue
            uid = request.metadata.uid or ""
            self._next[uid] = self.clock.monotonic() + self.seconds
            self.background.attempt(
                "watches",
                "act not watched",
                partial(self._follow, request),
                lambda _defect: None,
                fields=request_fields(request),
            )

    def _is_due(self, request: ActionRequest) -> bool:
        uid, action = request.metadata.uid or "", self.actions.get(request.spec.action)
        watchable = action is not None and action.watch is not None
        if not watchable or request.status.state is not State.SUCCEEDED or request.spec.dry_run or uid in self._done:
            return False
        return self.clock.monotonic() >= self._next.get(uid, 0.0)

    def _follow(self, request: ActionRequest) -> None:
        try:
            if self._goes_on(request):
                return
            self._done.add(request.metadata.uid or "")
        except FinopsError as error:
            logger.info("act is watched later: %s", error, extra=request_fields(request))

    def _goes_on(self, request: ActionRequest) -> bool:
        """Read an act, record what is news, show it; return whether there is more to come."""
        if not self.is_ours(request):
            return False
        hours, alarm = self._wanted(request)
        time = self._time(request, hours)
        if time is not None and time.goes_on:
            signs = self._signs(request, time, alarm)
            self._record(request, time, signs, hours)
            time = self._time(request, hours)
        self._show(request, time)
        return time is not None and time.goes_on if hours else self._is_young(request)

    def _is_young(self, request: ActionRequest) -> bool:
        """Return whether a policy that begins to watch again would watch this act."""
        decided = request.status.decided_at
        return decided is not None and self.clock.now() < decided + LONGEST_WATCH

    def _wanted(self, request: ActionRequest) -> tuple[int, str]:
        """Return for how many hours the policy watches now, and by which alarm; not at all once it is gone."""
        policy = self.policy_of(request.metadata.namespace or "", request.spec.policy)
        return (0, "") if policy is None else (policy.spec.actions.watch.hours, policy.spec.actions.watch.alarm)

    def _time(self, request: ActionRequest, hours: int) -> WatchedTime | None:
        watch = _watch_of(self.actions[request.spec.action])
        begins, effective = (partial(one, request.spec.parameters) for one in (watch.begins, watch.effective))
        return watched_time(self.ledger.of_request(request.metadata.uid or ""), hours, begins, effective)

    def _signs(self, request: ActionRequest, time: WatchedTime, alarm: str) -> tuple[Sign, ...]:
        spec = request.spec
        account = self.account_of("", spec.account)
        if account is None or account.spec.account_id != spec.resource.account_id:
            return (Sign("account", Health.UNKNOWN, f"Account {spec.account} is no longer the same."),)
        if why := revoked(account, request.metadata.namespace or "", spec.action):
            return (Sign("account", Health.UNKNOWN, why),)
        act = WatchedAct(
            resource=spec.to_plan().resource,
            parameters=spec.parameters,
            promised=spec.evidence.values,
            started=time.started,
            since=time.since,
            until=time.until,
            now=self.clock.now(),
            before=time.before,
            alarm=alarm,
            effect=time.effect,
        )
        tenant = Tenant(namespace=request.metadata.namespace or "", policy=spec.policy)
        try:
            reader = self.sessions.reader(access_of(account), spec.region, tenant=tenant)
            return _watch_of(self.actions[request.spec.action]).signs(reader, act)
        except (AwsError, Refused) as error:
            return (Sign("AWS", Health.UNKNOWN, f"AWS was not read: {error}."),)

    def _record(self, request: ActionRequest, time: WatchedTime, signs: tuple[Sign, ...], hours: int) -> None:
        """Write into the ledger the first worse state, and at its time the end."""
        signs = read_late(signs, self.clock.now() - time.until)
        if time.worse is None and verdict(signs) is Health.WORSE:
            _pause(self.ledger, request, signs)
            record = self.ledger.append(watch_entry(request, signs, propose_undo=self._proposes_undo(request)))
            killpoint("watch.worse")
            self._announce(request, record)
        if self.clock.now() >= time.since + timedelta(hours=hours):
            self.ledger.append(watch_entry(request, signs, hours=hours))
            killpoint("watch.ended")

    def _announce(self, request: ActionRequest, record: Record) -> None:
        note = f"{record.entry.detail['reason']} {self._how_to_undo(request, record)}"
        logger.warning("worse after an act: %s", note, extra=request_fields(request))
        try:
            self.events.publish(request, reason="WorseAfterAct", note=note, action="Watch", type_="Warning")
        except FinopsError as error:
            logger.warning("event not published: %s", error)

    def _proposes_undo(self, request: ActionRequest) -> bool:
        policy = self.policy_of(request.metadata.namespace or "", request.spec.policy)
        can_be_undone = self.actions[request.spec.action].undo is not None and request.spec.undoes is None
        return can_be_undone and policy is not None and policy.spec.actions.watch.propose_undo

    def _how_to_undo(self, request: ActionRequest, worse: Record | None) -> str:
        """Return how the act is undone, after what the record of the worse state asks for."""
        action, votes = self.actions[request.spec.action], request.spec.approval.required
        if request.spec.undoes is not None:
            return f"It undid {request.spec.undoes.name}, and an undo cannot be undone: a person has to see to it."
        if action.undo is None:
            return f"To undo it: {action.undo_by_hand}." if action.undo_by_hand else ""
        people = "1 approval" if votes == 1 else f"{votes} approvals"
        if worse is not None and worse.entry.detail.get(PROPOSE_UNDO) is True:
            return f"Its undo is put to the vote, if it is possible; it needs {people}."
        name = request.metadata.name
        return f"An approver can ask for its undo (finops undo {name}, or Undo on its card); it needs {people}."

    def _show(self, request: ActionRequest, time: WatchedTime | None) -> None:
        """Bring the status of the act's request in line with the ledger."""
        shown = watch_shown(time, self._how_to_undo(request, None if time is None else time.worse))
        if shown == request.status.watch:
            return
        try:
            self.requests.write_status(request, partial(self._written, shown=shown))
        except Gone:
            logger.info("the request is gone, its watch is not shown", extra=request_fields(request))

    def _written(self, current: ActionRequest, *, shown: WatchStatus | None) -> dict[str, object]:
        state = current.status.state
        if state is None:
            raise Conflict("the request has no state", code="StateChanged")
        return request_status.moved(current.status, state, fence=self.fence(), watch=shown)


def _watch_of(action: Action) -> Watch:
    assert action.watch is not None
    return action.watch


def _pause(ledger: Ledger, request: ActionRequest, signs: tuple[Sign, ...]) -> None:
    """Let no further act of the kind begin; recorded before the worse state itself, which is recorded once."""
    if request.spec.undoes is None:
        failure = Failure(WORSE, reason(signs))
        Pauses(ledger).pause(scope_of(request), request_reference(request), request.spec.plan_hash, failure)
