"""What an action declares. One file per action in `actions/`, each exporting `ACTION`; loaded by the registry.

Called by the propose stage (preflight, plan), by the act stage (observe, procedure, statements) and by
`finops iam-policy` (permissions). An action never sees an SDK: it reads through a Reader and declares calls as data.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeAlias

from finops.domain.canonical import Json
from finops.domain.execution import Observation, Procedure
from finops.domain.lasting import AT_ONCE, Shows
from finops.domain.plan import Plan, PlanStep
from finops.domain.recommendation import Effort, EvidenceFact, ResourceRef
from finops.domain.resource import Resource
from finops.domain.watching import Sign
from finops.ports.aws_steps import Reader
from finops_operator.plugins.check import Facts
from finops_operator.plugins.ownership import Owner

REQUEST_PLACEHOLDER: Final = "$(request.uid)"
"""Stands in a plan's parameters where the call carries the request's uid: the uid is born after the plan is hashed."""

Parameters: TypeAlias = Mapping[str, Json]
Statement: TypeAlias = Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an act must not happen to this resource: a CamelCase code and a sentence."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class ActWords:
    """One act in words, for cards and lists. No name and no tag stands in it: those are hostile text.

    Attributes:
        verb: opens a heading (`Resize`).
        consequence: what the resource goes through, in sentences.
        downtime: how long it is down (`A few minutes`).
        undo: what happens on a failure and how a person undoes the act later, in sentences.
        steps: step id → title, of the plan and of the steps that lead back.
        target: what the resource becomes, for headings (`m5.xlarge`); empty when nothing but its state changes.
        change: from what to what, with figures and units; empty like `target`.
        facts: what else differs afterwards, beside the evidence of the check.
    """

    verb: str
    consequence: str
    downtime: str
    undo: str
    steps: Mapping[str, str]
    target: str = ""
    change: str = ""
    facts: tuple[EvidenceFact, ...] = ()


@dataclass(frozen=True, slots=True)
class PolicyFacts:
    """What the policy says that a preflight needs: tags that forbid an act (key → values)."""

    protect_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attended:
    """How this process has observed a resource up to now without a gap; nothing where nobody knows.

    Attributes:
        seconds: for how long.
        steps: the steps whose first calls this process made since then.
    """

    seconds: float = 0.0
    steps: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Target:
    """What to observe: the resource, the action's parameters, and the request when there is one already.

    `made` are the ids of what the act made, by the step that made it, as far as that is recorded; only while it is not,
    `request_uid` finds what an earlier attempt of the same step created (it carries uid and step as tags). `full` asks
    for everything the preflight judges by; once something has changed, the facts that show how far it is are enough.
    `now` is when it is observed, for what is judged by a time until now; None where nobody asks for that. `attended` is
    for what shows only to whoever observes it meanwhile.
    """

    resource: ResourceRef
    parameters: Parameters
    request_uid: str = ""
    full: bool = True
    made: Mapping[str, str] = field(default_factory=dict)
    now: datetime | None = None
    attended: Attended = Attended()


def _no_patch(_owner: Owner, _resource: Resource, _parameters: Parameters) -> str:
    return ""


def _nothing_before(_observation: Observation) -> dict[str, str]:
    return {}


def at_once(_parameters: Parameters, _before: Mapping[str, str], verified: datetime) -> datetime:
    """Return that the hours after an act count from its verified end."""
    return verified


def _no_statements(_plan: Plan, _step: PlanStep, _now: Observation) -> tuple[Statement, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class OwnerChange:
    """The same change made where the resource is owned, when an act here would be undone.

    Attributes:
        only_stops: whether the act changes nothing but whether the resource runs: a template describes settings, so it
            does not undo that.
        patch: (owner, resource, parameters) → the change in the owner's own words, built from AWS's ids and our
            parameters only; empty when there is nothing to write.
    """

    only_stops: bool = False
    patch: Callable[[Owner, Resource, Parameters], str] = _no_patch


@dataclass(frozen=True, slots=True)
class Rights:
    """What IAM must know about an act beside the list of its permissions.

    Attributes:
        narrowed: statements that stand in place of a plain permission on the kind's ARNs, because a condition or
            another ARN narrows it; each with a `Sid`.
        further: statements needed beside the plain permission, for something that the call makes.
        rollback: permissions that lead an act back, and so are free of the protecting tag: whoever protects a resource
            while an act has it changed must not keep it changed.
        probes: permission, to read or to change → (id of a resource) → parameters of a call that asks whether it is
            granted, sent with `DryRun` where the API has it. A changing call is never sent without.
        calls: permission → the call that needs it, where the SDK names the service otherwise than IAM does.
        without_dry_run: services of `permissions` whose reads take no `DryRun`, though those of its other service do.
    """

    narrowed: tuple[Statement, ...] = ()
    further: tuple[Statement, ...] = ()
    rollback: frozenset[str] = frozenset()
    probes: Mapping[str, Callable[[str], Mapping[str, Any]]] = field(default_factory=dict)
    calls: Mapping[str, str] = field(default_factory=dict)
    without_dry_run: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class CallRules:
    """How AWS's answers to the changing calls of an act are read.

    Attributes:
        created: names in an answer that hold the id of something the call made; the ledger keeps them.
        not_done: error codes that say clearly that nothing was done though they come with status 500; every other 5xx
            leaves the outcome unknown.
        repeated: error codes by which AWS refuses a call whose effect is there or under way: after an attempt without
            an answer they do not say that nothing was done, so what became of it is observed.
        dry_run_passed: the code that says that a dry run's call would have been permitted; empty: the API has no
            `DryRun`, and then a dry run calls nothing.
    """

    created: tuple[str, ...] = ()
    not_done: frozenset[str] = frozenset()
    repeated: frozenset[str] = frozenset()
    dry_run_passed: str = ""


@dataclass(frozen=True, slots=True)
class ActSample:
    """Parameters, and the state a plan starts from, for the plan that the documentation shows.

    `left` is what of that state the act changes, where the plan of its undo is made from it; `made` are the ids of what
    the steps of the act made.
    """

    parameters: Parameters = field(default_factory=dict)
    assumed: Mapping[str, str] = field(default_factory=dict)
    left: Mapping[str, str] = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Undo:
    """How a complete act is undone: by the same action, with parameters that lead back.

    So whatever allows, bounds and locks the act does the same for its undo.

    Attributes:
        parameters: (plan of the act, ids of what its steps made) → parameters of the undo. Raises InvalidInput when the
            plan does not say to what it leads back.
        changed: (plan of the act, the resource now) → why it is not as the act left it, in a sentence; empty while it
            is. What somebody else did since is not ours to undo.
        outside_windows: whether it need not wait for a window of the policy: where it disturbs nothing that works.
    """

    parameters: Callable[[Plan, Mapping[str, str]], Parameters]
    changed: Callable[[Plan, Observation], str]
    outside_windows: bool = False


@dataclass(frozen=True, slots=True)
class WatchedAct:
    """An act that succeeded and is watched.

    Attributes:
        resource, parameters: of the act.
        promised: the evidence of its request, by name: what people were shown when they approved it.
        started: when its first changing call was announced.
        since, until: from when on its hours count, when it was verified or later, and when the watch ends.
        now: when it is read.
        before: what the watch keeps of the resource as it was right before the first changing call; what is missing
            was not known then.
        alarm: name of a CloudWatch alarm that counts too; empty: none.
        effect: before which AWS has not brought a change into force that comes later than the end of the act; None: it
            is in force from its first call on.
    """

    resource: ResourceRef
    parameters: Parameters
    promised: Mapping[str, int | str]
    started: datetime
    since: datetime
    until: datetime
    now: datetime
    before: Mapping[str, str] = field(default_factory=dict)
    alarm: str = ""
    effect: datetime | None = None


@dataclass(frozen=True, slots=True)
class Watch:
    """What shows in the hours after an act whether it made things worse.

    Attributes:
        reads: what is read, each in a few words for the documentation. Its rights are in `read_permissions`.
        signs: (reader, act) → what was found; a right that is missing makes a sign unknown and names it. Raises what
            Reader raises otherwise.
        before: (all that was observed right before the first changing call) → what of it is kept for `signs`, as short
            texts by name; pure. What was bad before an act was not made worse by it.
        begins: (parameters, what was kept, when the end of the act was verified) → from when on its hours count; pure.
            Later than the end where AWS brings what was changed into force later.
        effective: as `begins` → from when on AWS may have brought it into force: no later than `begins`, and what goes
            wrong from then on may be its doing.
    """

    reads: tuple[str, ...]
    signs: Callable[[Reader, WatchedAct], tuple[Sign, ...]]
    before: Callable[[Observation], Mapping[str, str]] = _nothing_before
    begins: Callable[[Parameters, Mapping[str, str], datetime], datetime] = at_once
    effective: Callable[[Parameters, Mapping[str, str], datetime], datetime] = at_once


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be done.

    Attributes:
        id: action id, the file's name.
        kinds: resource kind ids it applies to.
        destructive: whether something is gone afterwards.
        restart_needed: whether the resource is down for a while.
        rollback_possible: whether the act can be undone.
        undo_by_hand: what a person does by hand to undo a complete act, as the end of a sentence ("start it by hand").
        effort: AWS Cost Optimization Hub's word.
        permissions: IAM actions that its changing calls need (executor role).
        read_permissions: IAM actions that `observe` needs (scanner role).
        observe: reads AWS; raises what Reader raises. A resource that is gone is an Observation with exists=False.
        preflight: every reason against the act, unknown facts included where they are dangerous; pure.
        warnings: what people should know before approving, in sentences; pure.
        words: the act in words, from what was observed; pure.
        plan: the exact calls; a pure function of resource, parameters and fingerprint, so that it can be rebuilt from
            an ActionRequest. Raises InvalidInput when a parameter is missing or not of its type.
        procedure: how each step is judged, the rollback, the end state.
        statements: session policy of one step: its changing calls on its ARNs and nothing else.
        rights: what narrows its permissions, and how they are asked about.
        calls: how AWS's answers are read.
        at_owner: the same change made where the resource is owned.
        sample: an example for the documentation.
        observed_statements: what one step's session policy needs beside `statements`, by what was observed just before:
            rights that AWS uses in our name while it carries the call out. Without the call they lead to nothing, so
            they have no deadline.
        remaining_cost: what the resource would still cost a month after the act, unrounded; None when a price is
            missing. Without it a policy's own check cannot recommend the action: it needs parameters, or a check of
            the release has to judge whether it is safe.
        remaining_unknown: why no source may know what remains before the act, as the end of a sentence of at most 256
            characters; then people may weigh it. Empty: prices and figures say it.
        saves: whether it is there to save; else it costs as much or more afterwards, no check of the release recommends
            it, and no minimum saving keeps it from being proposed where a policy's own check asks for it.
        undo: how approvers can have a complete act undone; None: only a person can, by hand.
        lasts_days: days after which AWS undoes the act by itself, so that it saves once and for so long at most; 0: it
            lasts until somebody undoes it.
        watch: what is read in the hours after the act; None: nothing.
        brought_within: how long after its end AWS may take to bring its effect about; zero: it is there at once.
        shown_by: names of the daily metrics by which alone the effect shows in what the resource costs; empty: by what
            AWS lists of it.
        shows: how it shows in what the resource costs: when, and in which parts.
        parting_step: the step after which another resource lacks this one until the act has ended or was led back;
            empty: none does.
    """

    id: str
    kinds: frozenset[str]
    destructive: bool
    restart_needed: bool
    rollback_possible: bool
    undo_by_hand: str
    effort: Effort
    permissions: tuple[str, ...]
    read_permissions: tuple[str, ...]
    observe: Callable[[Reader, Target], Observation]
    preflight: Callable[[Observation, Parameters, PolicyFacts], tuple[Refusal, ...]]
    warnings: Callable[[Observation, Parameters], tuple[str, ...]]
    words: Callable[[Observation, Parameters, Plan], ActWords]
    plan: Callable[[ResourceRef, Parameters, Mapping[str, str]], Plan]
    procedure: Procedure
    statements: Callable[[Plan, PlanStep], tuple[Statement, ...]]
    rights: Rights = field(default_factory=Rights)
    calls: CallRules = field(default_factory=CallRules)
    at_owner: OwnerChange = field(default_factory=OwnerChange)
    sample: ActSample = field(default_factory=ActSample)
    observed_statements: Callable[[Plan, PlanStep, Observation], tuple[Statement, ...]] = _no_statements
    remaining_cost: Callable[[Facts[Any]], Decimal | None] | None = None
    remaining_unknown: str = ""
    saves: bool = True
    undo: Undo | None = None
    lasts_days: int = 0
    watch: Watch | None = None
    brought_within: timedelta = timedelta(0)
    shown_by: tuple[str, ...] = ()
    shows: Shows = AT_ONCE
    parting_step: str = ""


def nothing_remains(_facts: Facts[Any]) -> Decimal:
    """Return that the resource costs nothing after the act, as `Action.remaining_cost`."""
    return Decimal(0)


def as_it_costs(facts: Facts[Any]) -> Decimal | None:
    """Return that the resource costs as much after the act as before it, as `Action.remaining_cost`."""
    return facts.cost.unrounded_monthly


def with_request(value: Any, request_uid: str) -> Any:
    """Return call parameters with the request's uid in place of the placeholder."""
    if isinstance(value, str):
        return request_uid if value == REQUEST_PLACEHOLDER else value
    if isinstance(value, Mapping):
        return {key: with_request(item, request_uid) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [with_request(item, request_uid) for item in value]
    return value
