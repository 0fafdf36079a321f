"""The walk through the demo: what to press or type, in which order, and what to watch for after each step.

Printed once the first scans have ended, all steps at once or one by one (`guide`). Ids are those of this run, so every
command works as it stands.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from finops.crds.action_request import ActionRequest
from finops_operator.cli.finding import advice_id
from finops_operator.cli.listings import SHORT_ID

WIDTH: Final = 78
INDENT: Final = "   "
PRESSED: Final = "staging-idle-1"
"""Name of the instance whose card stands in the channel; it is approved on the Slack page."""
THREADED: Final = "eu-api-oversized"
"""Name of the instance whose card is in the thread of the message that lists all requests of production."""
FAILING: Final = "checkout-no-capacity"
"""Name of the instance whose new type has no capacity in the demo's AWS: its resize is rolled back."""
DELETED: Final = "forgotten-data"
"""Name of a volume nobody uses; deleting needs two people."""
ALICE: Final = "U0ALICE001"
BOB: Final = "U0BOB00001"
_CHANNEL: Final = "C0FINOPS01"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing to do.

    Attributes:
        do: what to do, a sentence.
        lines: addresses to open or commands to type, as they stand.
        see: what happens then.
        production: the command that does it on a real installation.
        request: name of the ActionRequest whose end ends the step; empty: only the reader knows when it is done.
    """

    do: str
    lines: tuple[str, ...]
    see: str
    production: str
    request: str = ""


def page_of(page: str, user: str) -> str:
    """Return the address of the Slack page as a person sees it."""
    return f"{page}?user={user}&channel={_CHANNEL}"


def steps(dashboard: str, slack_page: str, env_file: Path, requests: Iterable[ActionRequest]) -> Iterator[Step]:
    """Yield the steps in order; those of a request that was not proposed are left out.

    Args:
        dashboard: address that signs Alice in at the dashboard.
        slack_page: address of the Slack page.
        env_file: what a shell reads so that `finops` and `kubectl` use the demo.
        requests: the requests that are open.
    """
    known = {one.spec.resource.name: one for one in requests}
    yield Step(
        "Open the dashboard: the address signs you in as Alice.",
        (dashboard,),
        "what everything costs, what could be saved, and the requests that wait for votes.",
        "kubectl -n finops-system port-forward service/finops-operator-web 8080",
    )
    yield from _in_slack(page_of(slack_page, ALICE), known)
    yield _listing(env_file)
    if FAILING in known:
        yield Step(
            f"Approve {FAILING} to see a rollback: the demo's AWS has no capacity for its new type. Alice in Slack and "
            "alice in Kubernetes are one person.",
            (_approve(known, FAILING), "finops requests"),
            "the start fails, the instance returns to m5.2xlarge by itself and runs; the request is RolledBack.",
            "kubectl finops approve REQUEST -n NAMESPACE",
            known[FAILING].metadata.name,
        )
    if DELETED in known:
        yield Step(
            f"Delete the volume {DELETED}: that takes two people. Alice approves by command, and once more on its card "
            "in Slack; then open Slack as Bob and approve the same card.",
            (_approve(known, DELETED), page_of(slack_page, ALICE), page_of(slack_page, BOB)),
            "after Alice 1 of 2 approvals, both times: one person has one vote, through any channel. After Bob two "
            "snapshots are made, then the volume is deleted.",
            "kubectl -n finops-system edit configmap finops-operator-identities",
            known[DELETED].metadata.name,
        )
    yield Step(
        "Verify the record of all this.",
        ("finops audit verify", "finops audit list"),
        "the chain of records is intact; each vote, step and result is listed with the person who caused it.",
        "kubectl -n finops-system exec deploy/finops-operator -- finops audit verify",
    )


def _in_slack(as_alice: str, known: Mapping[str, ActionRequest]) -> Iterator[Step]:
    if PRESSED in known:
        yield Step(
            f"Open Slack as Alice. On the card of {PRESSED} press Approve and confirm.",
            (as_alice,),
            "the card loses its buttons, shows the running steps in its thread and ends with “Done and verified”.",
            "kubectl finops approve REQUEST -n NAMESPACE",
            known[PRESSED].metadata.name,
        )
    if THREADED in known and (listed := known[THREADED].spec.slack_digest):
        yield Step(
            f"A message lists the {listed.size} requests of production, more than a day's cards. Open the replies "
            f"below it, press Approve on the card of {THREADED} and confirm.",
            (as_alice,),
            "the instance stops, changes its type and starts; the list says that it is done.",
            "kubectl explain scanpolicy.spec.notify.slack.cardsPerDay",
            known[THREADED].metadata.name,
        )


def _listing(env_file: Path) -> Step:
    return Step(
        "Open another terminal and list what was proposed. Then scan the production account yourself, with the AWS key "
        "of a person who reads it.",
        (f". {env_file}", "finops requests", "finops scan"),
        "one request for each card in Slack; then a report of what can be saved, which changes nothing.",
        "kubectl apply -f policy.yaml",
    )


def _approve(known: Mapping[str, ActionRequest], name: str) -> str:
    return f"finops approve {advice_id(known[name])[:SHORT_ID]} --context alice"


def written(walk: Iterable[Step]) -> Iterator[str]:
    """Yield the lines of all steps."""
    for number, step in enumerate(walk, 1):
        yield from step_lines(f"{number}. ", step)
        yield ""


def step_lines(number: str, step: Step) -> Iterator[str]:
    """Yield the lines of one step, `number` before them; commands and addresses are never broken."""
    yield from textwrap.wrap(step.do, WIDTH, initial_indent=number, subsequent_indent=INDENT)
    yield from (f"     {line}" for line in step.lines)
    yield from paragraph(f"You see: {step.see}")


def paragraph(text: str) -> list[str]:
    """Return a sentence as lines below the first of a step."""
    return textwrap.wrap(text, WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
