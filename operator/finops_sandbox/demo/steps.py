"""The walk through the demo: what to press or type, in which order, and what to watch for after each step.

`guide` prints it once the first scan has ended. Names of requests are those of this run, so every command works as it
stands.
"""

from __future__ import annotations

import shutil
import textwrap
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from finops.crds.action_request import ActionRequest
from finops_sandbox.demo.running import RESIZED

WIDTH: Final = 78
PRESSED: Final = "eu-api-oversized"
"""Name of the instance whose card is approved on the Slack page."""
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
    """

    do: str
    lines: tuple[str, ...]
    see: str


def page_of(page: str, user: str) -> str:
    """Return the address of the Slack page as a person sees it."""
    return f"{page}?user={user}&channel={_CHANNEL}"


def steps(slack_page: str, env_file: Path, requests: Iterable[ActionRequest]) -> Iterator[Step]:
    """Yield the steps in order; those of a request that was not proposed are left out.

    Args:
        slack_page: address of the Slack page.
        env_file: what a shell reads so that `finops` and `kubectl` use the demo.
        requests: the requests that are open.
    """
    names = {one.spec.resource.name: one.metadata.name for one in requests}
    shown = "kubectl get scanpolicies,actionrequests" if shutil.which("kubectl") else "finops requests"
    if PRESSED in names:
        yield Step(
            f"Open Slack as Alice. On the card of {PRESSED} press Approve and confirm.",
            (page_of(slack_page, ALICE),),
            "the card loses its buttons, shows the running steps in its thread and ends with “Done and verified”.",
        )
    yield Step(
        "Open another terminal and list what was found and proposed.",
        (f". {env_file}", shown),
        "one policy, and one request for each card in Slack.",
    )
    if RESIZED in names:
        yield Step(
            f"Approve the resize of {RESIZED} by command. Alice in Slack and alice in Kubernetes are one person.",
            (f"finops approve {names[RESIZED]} --context alice", "finops requests"),
            "the instance stops, changes its type and starts; then the request is Succeeded.",
        )
    if FAILING in names:
        yield Step(
            f"Approve {FAILING} to see a rollback: the demo's AWS has no capacity for its new type.",
            (f"finops approve {names[FAILING]} --context alice",),
            "the start fails, the instance returns to m5.2xlarge by itself and runs; the request is RolledBack.",
        )
    if DELETED in names:
        yield Step(
            f"Delete the volume {DELETED}. Alice approves by command, and again on the Slack page.",
            (f"finops approve {names[DELETED]} --context alice", page_of(slack_page, ALICE)),
            "1 of 2 approvals, both times: one person has one vote, through any channel.",
        )
        yield Step(
            "Open Slack as Bob and approve the same card.",
            (page_of(slack_page, BOB),),
            "2 of 2 approvals; two snapshots are made, then the volume is deleted.",
        )
    yield Step(
        "Verify the record of all this.",
        ("finops audit verify", "finops audit list"),
        "the chain of records is intact; each vote, step and result is listed with the person who caused it.",
    )


def written(walk: Iterable[Step]) -> Iterator[str]:
    """Yield the lines of the steps; commands and addresses are never broken."""
    for number, step in enumerate(walk, 1):
        yield from textwrap.wrap(step.do, WIDTH, initial_indent=f"{number}. ", subsequent_indent="   ")
        yield from (f"     {line}" for line in step.lines)
        yield from textwrap.wrap(step.see, WIDTH, initial_indent="   You see: ", subsequent_indent="   ")
        yield ""
