"""Whether a recommendation can become a request, and what stands in its way; pure.

The one place that decides it: the recommend stage stores the answer with each recommendation, the proposer asks again
with the policy and the accounts as they are then. What only AWS knows at that moment (a preflight's refusal) is added
by the proposer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Final

from finops.crds.aws_account import AwsAccount
from finops.crds.policy_actions import Mode
from finops.crds.scan_policy import ScanPolicy
from finops.domain.money import CURRENCY, as_text
from finops.domain.recommendation import Block, BlockCode, Recommendation, Status
from finops.domain.resource import IGNORE_TAG, PROTECTED_TAG

_YES: Final = frozenset({"true", "yes", "1"})
SAVES_NOTHING: Final = "savesNothing"
"""Attribute of a recommendation whose act is not there to save: it costs as much or more afterwards."""
_OPT_OUT: Final = (IGNORE_TAG, PROTECTED_TAG)


@dataclass(frozen=True, slots=True)
class ActTerms:
    """What a policy and one of its accounts allow.

    Attributes:
        allowed: `actions.allowed` of the policy.
        minimum: `actions.minimumMonthlySavings` of the policy.
        unknown_savings: `actions.proposeUnknownSavings` of the policy.
        account: name of the AwsAccount object, empty when the policy names none for the AWS account.
        granted: what the account lets policies of this namespace do.
        has_executor_role: whether the account names a role to act with.
    """

    mode: Mode
    allowed: frozenset[str]
    minimum: Decimal
    protect_tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    account: str = ""
    granted: frozenset[str] = frozenset()
    has_executor_role: bool = False
    unknown_savings: bool = False


def act_terms(policy: ScanPolicy, account: AwsAccount | None) -> ActTerms:
    """Return what `policy` and `account` allow; None when the policy names no object for the AWS account."""
    actions, namespace = policy.spec.actions, policy.metadata.namespace or "default"
    return ActTerms(
        mode=actions.mode,
        allowed=frozenset(actions.allowed),
        minimum=actions.minimum_monthly_savings,
        unknown_savings=actions.propose_unknown_savings,
        protect_tags=actions.protect_tags,
        account=account.metadata.name if account is not None else "",
        granted=frozenset(account.spec.actions_for(namespace) or ()) if account is not None else frozenset(),
        has_executor_role=account is not None and bool(account.spec.executor_role_arn),
    )


def judged(item: Recommendation, terms: ActTerms) -> Recommendation:
    """Return `item` with its status and what blocks it."""
    if item.advice or not item.action:
        return replace(item, status=Status.ADVICE, blocked_by=())
    blocks = tuple(_blocks(item, terms))
    return replace(item, status=Status.BLOCKED if blocks else Status.ACTIONABLE, blocked_by=blocks)


def refused(item: Recommendation, refusals: Sequence[Block]) -> Recommendation:
    """Return `item` as blocked by what the action's preflight found; the codes of `refusals` are its rules."""
    found = tuple(Block(f"{BlockCode.REFUSED_BY_PREFLIGHT}:{one.code}", one.message) for one in refusals)
    return replace(item, status=Status.BLOCKED, blocked_by=found, note="")


def protecting_tags(tags: Mapping[str, str], protect_tags: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return a sentence for each tag by which a resource's owner or the policy keeps it out of reach of an act."""
    found = [f"The tag {key} protects this resource." for key in _OPT_OUT if tags.get(key, "").strip().lower() in _YES]
    found += [
        f"The policy protects resources with tag {key}={tags[key]}."
        for key, values in protect_tags.items()
        if key in tags and tags[key] in values and key not in _OPT_OUT
    ]
    return tuple(found)


def _blocks(item: Recommendation, terms: ActTerms) -> Iterator[Block]:
    for sentence in protecting_tags(item.tags, terms.protect_tags):
        yield Block(BlockCode.PROTECTED_TAG, sentence)
    yield from _money(item, terms)
    if terms.mode is Mode.RECOMMEND:
        # What the policy and the account would allow matters only once the policy is to act at all.
        yield Block(
            BlockCode.MODE_RECOMMEND,
            "The policy only recommends; set actions.mode to DryRun or Approve.",
        )
        return
    yield from _rights(item, terms)


def _money(item: Recommendation, terms: ActTerms) -> Iterator[Block]:
    saving = item.monthly_savings
    if saving is None and item.saving_unknown:
        # Nobody can know it, so that only people can weigh it: where the policy wants them to be asked.
        if not terms.unknown_savings:
            yield Block(
                BlockCode.UNKNOWN_SAVING,
                f"The saving is unknown: {item.saving_unknown}. To ask people all the same, set "
                "actions.proposeUnknownSavings.",
            )
    elif saving is None or item.current_monthly_cost is None or item.new_monthly_cost is None:
        why = item.attributes.get("noPriceReason")
        yield Block(BlockCode.NO_PRICE, f"The saving is unknown: {why or 'a price is missing'}.")
    elif item.attributes.get(SAVES_NOTHING):
        # A check of the policy's own asks for it for another reason, and people see what it costs.
        return
    elif saving <= 0:
        why = f": {item.net_note}" if item.list_monthly_savings and item.net_note else ""
        yield Block(BlockCode.BELOW_MINIMUM, f"It saves nothing{why}.")
    elif saving < terms.minimum:
        yield Block(
            BlockCode.BELOW_MINIMUM,
            f"It saves less than actions.minimumMonthlySavings, {as_text(terms.minimum)} {CURRENCY}.",
        )


def _rights(item: Recommendation, terms: ActTerms) -> Iterator[Block]:
    if item.action not in terms.allowed:
        yield Block(BlockCode.NOT_ALLOWED, f"The policy does not list {item.action} in actions.allowed.")
    if item.action not in terms.granted:
        whose = f"AwsAccount {terms.account}" if terms.account else "No AwsAccount of the policy"
        verb = "does not grant" if terms.account else "grants"
        yield Block(BlockCode.NOT_GRANTED, f"{whose} {verb} {item.action} to the policy's namespace in spec.allow.")
    elif not terms.has_executor_role:
        yield Block(BlockCode.NO_EXECUTOR_ROLE, f"AwsAccount {terms.account} names no executorRoleArn to act with.")
