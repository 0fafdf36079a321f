"""Writes on a policy that no card reaches Slack, as the bot has found out and written into the store.

A duty of housekeeping: the sentence stands beside the outcome of the scan in the condition `Ready`, and an Event says
it once. The policy itself stays ready: everything but the cards works, and votes by kubectl do.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from finops.crds.scan_policy import ScanPolicy
from finops.errors import FinopsError
from finops.k8s.events import Events
from finops.store.connection import Store
from finops.store.slack_status import SlackProblem, SlackStatus
from finops_operator.cluster.objects import Objects
from finops_operator.rules import policy_status

logger = logging.getLogger(__name__)
_ALL_OF_SLACK: Final = ""
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class SlackChannels:
    """Brings the policies in line with what the bot knows about their channels."""

    store: Store
    policies: Objects[ScanPolicy]
    events: Events

    def refresh(self) -> None:
        """Bring all policies in line once. Raises StoreUnavailable."""
        problems = known_problems(self.store)
        if problems is None:
            return
        for policy in self.policies.cache.all():
            note, wanted = policy_status.slack_note(policy), problem_of(policy, problems)
            if note is None or note == wanted:
                continue
            try:
                self._write(policy, wanted)
            except FinopsError as error:
                logger.info("the state of a Slack channel is written later: %s", error, extra={"policy": _name(policy)})

    def _write(self, policy: ScanPolicy, problem: str) -> None:
        self.policies.write_status(policy, lambda current: policy_status.noted(current, problem))
        if problem:
            logger.warning("no card reaches Slack: %s", problem, extra={"policy": _name(policy)})
            self.events.publish(
                policy,
                reason="NoCardReachesSlack",
                note=f"No card reaches Slack: {problem}",
                action="Notify",
                type_="Warning",
            )


def known_problems(store: Store) -> Mapping[str, SlackProblem] | None:
    """Return what the bot says does not reach Slack, by channel id; None where it cannot be read.

    Raises StoreUnavailable.
    """
    try:
        return SlackStatus(store).read()[1]
    except ValueError as error:
        # The bot writes there, and the operator trusts it with nothing: what cannot be read is no reason to stop.
        logger.warning("what the bot says about Slack cannot be read: %s", error)
        return None


def problem_of(policy: ScanPolicy, problems: Mapping[str, SlackProblem]) -> str:
    """Return why no card of the policy reaches Slack, in one printable sentence; empty when nothing is known to fail.

    Args:
        policy: names the channel.
        problems: by channel id; the empty id stands for all of Slack.
    """
    slack = policy.spec.notify.slack
    return "" if slack is None else problem_of_channel(slack.channel, problems)


def problem_of_channel(own: str, problems: Mapping[str, SlackProblem]) -> str:
    """Return why nothing reaches a channel, as `problem_of` does of a policy's."""
    for channel in (_ALL_OF_SLACK, own):
        found = problems.get(channel)
        if found is not None:
            text = f"{channel}: {found.message}" if channel else found.message
            return "".join(sign if sign.isprintable() else " " for sign in text)[:_LONGEST]
    return ""


def _name(policy: ScanPolicy) -> str:
    return f"{policy.metadata.namespace}/{policy.metadata.name}"
