"""Acts are watched from the ledger alone: a worse state is said once, also by the process that takes over."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import account, policy, recommendation, request

from finops.crds.action_request import ActionRequest, UndoneAct
from finops.crds.aws_account import AwsAccount
from finops.crds.request_status import ActionRequestStatus, WatchState
from finops.crds.scan_policy import ScanPolicy
from finops.domain.audit import GENESIS_HASH, Entry, Record, RecordKind
from finops.domain.decision import State
from finops.domain.watching import Health, Sign
from finops.errors import AwsCredentialsInvalid, LedgerUnavailable
from finops.ports.aws_steps import Reader
from finops_operator.background import Background
from finops_operator.plugins.action import Watch, WatchedAct
from finops_operator.requests.watching import Watching
from finops_operator.services.ec2.actions.ec2_instance_stop import ACTION as STOP
from finops_operator.telemetry import Telemetry

GOOD = Sign("CPU", Health.WELL, "Its CPU keeps to the promise.")
BAD = Sign("CPU", Health.WORSE, "Its CPU is full.")
MISSING = Sign("alarm", Health.UNKNOWN, "Not known: allow cloudwatch:DescribeAlarms to the scanner role.")


@dataclass
class World:
    """Ledger, cluster and AWS around one act that has just succeeded; outlives the process that watches."""

    clock: FakeClock = field(default_factory=FakeClock)
    records: list[Record] = field(default_factory=list)
    events: list[str] = field(default_factory=list)
    seen: list[WatchedAct] = field(default_factory=list)
    signs: tuple[Sign, ...] = (GOOD,)
    hours: int = 24
    propose_undo: bool = False
    begins_after: timedelta = timedelta(0)
    account: AwsAccount | None = field(default_factory=account)
    problem: Exception | None = None
    down: bool = False
    act: ActionRequest = field(default_factory=lambda: request(recommendation(), State.SUCCEEDED))

    def __post_init__(self) -> None:
        self.act = self.act.model_copy(
            update={"status": self.act.status.model_copy(update={"decided_at": self.clock.now()})}
        )
        self.append(Entry("u:verified", "operator", RecordKind.VERIFIED, "team-a/r/u", result="Succeeded"))

    # the ledger
    def append(self, entry: Entry, *, after: int | None = None, unless: Sequence[str] = ()) -> Record:
        assert after is None
        known = next((one for one in self.records if one.entry.operation_id == entry.operation_id), None)
        if known is None:
            self.records.append(Record(len(self.records) + 1, GENESIS_HASH, self.clock.now(), 1, entry))
        return known or self.records[-1]

    def of_request(self, _uid: str) -> tuple[Record, ...]:
        if self.down:
            raise LedgerUnavailable("the store does not answer")
        return tuple(self.records)

    def find(self, operation_id: str) -> Record | None:
        return next((one for one in self.records if one.entry.operation_id == operation_id), None)

    # the cluster
    @property
    def cache(self) -> World:
        return self

    def all(self) -> tuple[ActionRequest, ...]:
        return (self.act,)

    def write_status(self, act: ActionRequest, change: Callable[[ActionRequest], dict[str, Any]]) -> ActionRequest:
        status = ActionRequestStatus.model_validate(change(self.act))
        self.act = act.model_copy(update={"status": status})
        return self.act

    def publish(self, _about: ActionRequest, *, reason: str, note: str, action: str, type_: str) -> None:
        assert (reason, action, type_) == ("WorseAfterAct", "Watch", "Warning")
        self.events.append(note)

    def policy(self, _namespace: str, _name: str) -> ScanPolicy:
        found = policy()
        watch = found.spec.actions.watch.model_copy(
            update={"hours": self.hours, "alarm": "shop-slow", "propose_undo": self.propose_undo}
        )
        actions = found.spec.actions.model_copy(update={"watch": watch})
        return found.model_copy(update={"spec": found.spec.model_copy(update={"actions": actions})})

    # AWS
    def reader(self, *_: Any, **__: Any) -> Reader:
        return cast("Reader", self)

    def read_signs(self, _reader: Reader, act: WatchedAct) -> tuple[Sign, ...]:
        self.seen.append(act)
        if self.problem is not None:
            raise self.problem
        return self.signs

    def begins(self, _parameters: Any, _before: Any, verified: datetime) -> datetime:
        return verified + self.begins_after

    # what it was all about
    def process(self) -> Watching:
        """Return the watching of a process that has just started."""
        this: Any = self
        action = replace(STOP, watch=Watch(reads=("CPU",), signs=self.read_signs, begins=self.begins))
        return Watching(
            requests=this,
            policy_of=self.policy,
            account_of=lambda _, __: self.account,
            actions={action.id: action},
            sessions=this,
            ledger=this,
            events=this,
            clock=self.clock,
            fence=lambda: 1,
            is_ours=lambda _: True,
            may_write=lambda: True,
            background=Background(Telemetry(), self.clock),
            seconds=300.0,
        )

    @property
    def paused(self) -> list[Entry]:
        return [one.entry for one in self.records if one.entry.kind is RecordKind.PAUSED]

    @property
    def watched(self) -> list[str]:
        return [one.entry.result for one in self.records if one.entry.kind is RecordKind.WATCHED]


def after(world: World, watching: Watching, **time: float) -> None:
    """Let time pass and go through the acts."""
    world.clock.sleep(timedelta(**time).total_seconds())
    watching.go_through(threading.Event())


def test_a_worse_state_is_said_once_in_ledger_status_and_event_and_the_end_later() -> None:
    world = World()
    watching = world.process()
    after(world, watching, minutes=1)
    assert world.act.status.watch is not None
    assert (world.act.status.watch.state, world.watched) == (WatchState.WATCHING, [])

    world.signs = (BAD,)
    after(world, watching, hours=2)
    after(world, watching, hours=2)

    shown = world.act.status.watch
    assert shown.state is WatchState.WORSE
    assert shown.worse is not None
    assert shown.worse.startswith("Its CPU is full. An approver can ask for its undo (finops undo r-rec1")
    assert (world.watched, world.events) == (["worse"], [shown.worse])

    world.signs = (GOOD,)
    after(world, watching, hours=20)
    after(world, watching, hours=1)

    assert world.watched == ["worse", "well"]
    assert world.act.status.watch.message == "24 hours later: it does well. Its CPU keeps to the promise."
    assert world.act.status.watch.state is WatchState.WORSE
    assert world.act.status.state is State.SUCCEEDED
    assert len(world.events) == 1


def test_another_process_goes_on_where_one_was_killed_and_repeats_nothing() -> None:
    world = World(signs=(BAD,))
    after(world, world.process(), hours=1)
    killed_before_it_was_shown = world.act.model_copy(
        update={"status": world.act.status.model_copy(update={"watch": None})}
    )
    world.act, world.signs = killed_before_it_was_shown, (GOOD,)

    after(world, world.process(), hours=1)

    assert world.act.status.watch is not None
    assert world.act.status.watch.state is WatchState.WORSE
    assert (world.watched, len(world.events)) == (["worse"], 1)
    after(world, world.process(), hours=30)
    after(world, world.process(), hours=1)
    assert world.watched == ["worse", "well"]


def test_what_is_read_days_after_the_watch_says_so() -> None:
    world = World(signs=(BAD, MISSING))
    world.clock.sleep(timedelta(hours=55, minutes=50).total_seconds())
    world.process().go_through(threading.Event())
    late = "Its CPU is full. It was read 31 hours after the end of the watch; it may have another cause than the act."
    assert [str(one.entry.detail["reason"]) for one in world.records[1:]] == [late, late, late]
    assert world.events[0].startswith(late)
    in_time = World()
    in_time.clock.sleep(timedelta(hours=24, minutes=50).total_seconds())
    in_time.process().go_through(threading.Event())
    assert in_time.records[-1].entry.detail["reason"] == GOOD.sentence


def test_aws_is_read_at_the_interval_and_no_more_after_the_end() -> None:
    world = World()
    watching = world.process()
    after(world, watching, minutes=1)
    after(world, watching, minutes=1)
    assert len(world.seen) == 1
    after(world, watching, minutes=5)
    assert len(world.seen) == 2
    assert (world.seen[0].alarm, world.seen[0].now - world.seen[0].since) == ("shop-slow", timedelta(minutes=1))
    after(world, watching, hours=24)
    after(world, watching, hours=1)
    assert len(world.seen) == 3


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"signs": (GOOD, MISSING)}, "allow cloudwatch:DescribeAlarms to the scanner role"),
        ({"signs": ()}, "Nothing was read."),
        ({"problem": AwsCredentialsInvalid("the role is gone", operation="sts:AssumeRole")}, "the role is gone"),
        ({"account": account(allow=[])}, "no longer grants ec2_instance_stop"),
        ({"account": None}, "Account production is no longer the same."),
    ],
    ids=["a right is missing", "nothing was read", "AWS refuses the role", "the grant is gone", "no account"],
)
def test_what_could_not_be_read_is_unknown_and_never_well(changes: dict[str, Any], words: str) -> None:
    world = World(**changes)
    after(world, world.process(), hours=25)
    assert world.watched == ["unknown"]
    assert world.act.status.watch is not None
    assert world.act.status.watch.state is WatchState.UNKNOWN
    assert words in (world.act.status.watch.message or "")
    assert world.events == []


def test_a_policy_with_no_hours_watches_nothing_until_it_has_some() -> None:
    world = World(hours=0)
    watching = world.process()
    after(world, watching, hours=1)
    assert (world.seen, world.act.status.watch) == ([], None)
    world.hours = 12
    after(world, watching, hours=1)
    assert world.act.status.watch is not None
    assert world.act.status.watch.until == (world.records[0].time + timedelta(hours=12)).replace(microsecond=0)


def test_a_ledger_that_does_not_answer_delays_the_watch() -> None:
    world = World(signs=(BAD,), down=True)
    watching = world.process()
    after(world, watching, hours=1)
    assert world.watched == []
    world.down = False
    after(world, watching, minutes=5)
    assert world.watched == ["worse"]


def test_the_loop_reads_only_under_the_lease_and_ends_when_asked() -> None:
    world, stop, asked = World(), threading.Event(), threading.Event()

    def may_write() -> bool:
        asked.set()
        return False

    watching = replace(world.process(), may_write=may_write, seconds=0.01)
    thread = threading.Thread(target=watching.run, args=(stop,))
    thread.start()
    assert asked.wait(5)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert world.seen == []


@pytest.mark.parametrize("wanted", [True, False])
def test_a_worse_state_asks_for_the_undo_as_the_policy_says_once(wanted: bool) -> None:
    world = World(signs=(BAD,), propose_undo=wanted)
    after(world, world.process(), minutes=1)
    world.propose_undo = True
    after(world, world.process(), minutes=10)

    (found,) = [one.entry for one in world.records if one.entry.kind is RecordKind.WATCHED]
    assert found.detail["proposeUndo"] is wanted
    assert ("put to the vote" in world.events[0]) is wanted
    assert ("An approver can ask" in world.events[0]) is not wanted
    shown = world.act.status.watch
    assert shown is not None
    assert shown.worse == world.events[0]


def test_an_act_that_cannot_be_undone_is_not_put_to_the_vote() -> None:
    world = World(signs=(BAD,), propose_undo=True)
    watching = world.process()
    (action,) = watching.actions.values()
    after(world, replace(watching, actions={action.id: replace(action, undo=None)}), minutes=1)

    (found,) = [one.entry for one in world.records if one.entry.kind is RecordKind.WATCHED]
    assert found.detail["proposeUndo"] is False
    assert "put to the vote" not in world.events[0]


def test_an_undo_that_left_a_worse_state_calls_for_a_person_and_for_no_further_undo() -> None:
    world = World(signs=(BAD,), propose_undo=True)
    undoes = UndoneAct(name="r-before", uid="u0", required=1, outside_windows=False)
    world.act = world.act.model_copy(update={"spec": world.act.spec.model_copy(update={"undoes": undoes})})
    after(world, world.process(), minutes=1)

    (found,) = [one.entry for one in world.records if one.entry.kind is RecordKind.WATCHED]
    assert (found.result, found.detail["proposeUndo"]) == ("worse", False)
    assert world.events == [
        "Its CPU is full. It undid r-before, and an undo cannot be undone: a person has to see to it."
    ]


def test_a_watch_whose_change_waits_for_its_window_is_not_over_before_the_window_and_its_hours() -> None:
    world = World(begins_after=timedelta(hours=100))
    watching = world.process()
    after(world, watching, hours=30)
    assert not world.watched
    after(world, watching, hours=80)
    assert not world.watched
    after(world, watching, hours=15)
    assert world.watched == [Health.WELL.value]


def test_a_worse_state_pauses_the_acts_of_its_kind_before_it_is_recorded_and_once() -> None:
    world = World(signs=(BAD,))
    watching = world.process()
    after(world, watching, hours=1)
    after(world, watching, hours=24)

    (pause,) = world.paused
    assert (pause.detail["policy"], pause.detail["action"]) == (world.act.spec.policy, "ec2_instance_stop")
    assert (pause.detail["state"], pause.detail["reason"]) == ("Succeeded", BAD.sentence)
    kinds = [one.entry.kind for one in world.records]
    assert kinds.index(RecordKind.PAUSED) < kinds.index(RecordKind.WATCHED)


def test_a_process_that_dies_after_the_pause_leaves_one_pause_when_the_next_finds_the_same() -> None:
    world = World(signs=(BAD,))
    after(world, world.process(), hours=1)
    world.records = [one for one in world.records if one.entry.kind is not RecordKind.WATCHED]
    after(world, world.process(), hours=1)
    assert (len(world.paused), world.watched) == (1, ["worse"])


@pytest.mark.parametrize("signs", [(GOOD,), (MISSING,)])
def test_a_state_that_is_well_or_unknown_pauses_nothing(signs: tuple[Sign, ...]) -> None:
    world = World(signs=signs)
    after(world, world.process(), hours=25)
    assert world.paused == []


def test_an_undo_that_left_a_worse_state_pauses_nothing_for_it_is_no_further_act_of_its_kind() -> None:
    world = World(signs=(BAD,))
    spec = world.act.spec.model_copy(update={"undoes": UndoneAct(name="r-1", uid="a", required=1)})
    world.act = world.act.model_copy(update={"spec": spec})
    after(world, world.process(), hours=1)
    assert (world.watched, world.paused) == (["worse"], [])
