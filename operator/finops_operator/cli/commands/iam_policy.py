"""`finops iam-policy`: the least IAM policies of the roles, from what the plug-ins and the ledger's bucket call."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Final

import typer

from finops.errors import InvalidInput
from finops_operator.aws.bucket_place import bucket_and_prefix
from finops_operator.cli.command import Command
from finops_operator.cli.iam_documents import REPORT_LINES, act_policy, kinds_of, ledger_policy, scan_policy
from finops_operator.plugins.loaded import plugins


class Purpose(StrEnum):
    """Which role the policy is for."""

    SCAN = "scan"
    ACT = "act"
    LEDGER = "ledger"


_PriceList = Annotated[
    bool, typer.Option("--price-list", help="Let it ask AWS's price list, for policies with spec.pricing.priceList.")
]
_Coverage = Annotated[
    bool,
    typer.Option(
        "--commitment-coverage",
        help="Let it ask Cost Explorer, for policies with spec.pricing.commitmentCoverage; $0.01 a request.",
    ),
]
_ReportLines = Annotated[
    bool,
    typer.Option(
        REPORT_LINES,
        help="Let it query the logs of functions, for policies with spec.metrics.lambdaReportLines; billed by the GB.",
    ),
]


def _run(
    for_: Annotated[
        Purpose,
        typer.Option(
            "--for",
            help="scan: the role that reads. act: the role that changes. ledger: who writes the ledger's bucket.",
            case_sensitive=False,
        ),
    ] = Purpose.SCAN,
    actions: Annotated[
        list[str] | None,
        typer.Option("--action", metavar="ID", help="Only for this action. Repeatable; with --for act."),
    ] = None,
    services: Annotated[
        list[str] | None,
        typer.Option(
            "--service", metavar="NAME", help="Only for kinds of this service, by its IAM prefix. Repeatable."
        ),
    ] = None,
    kinds: Annotated[
        list[str] | None, typer.Option("--kind", metavar="ID", help="Only for this kind. Repeatable.")
    ] = None,
    price_list: _PriceList = False,
    coverage: _Coverage = False,
    report_lines: _ReportLines = False,
    bucket: Annotated[
        str, typer.Option("--bucket", metavar="s3://BUCKET/PREFIX", help="The ledger's bucket; with --for ledger.")
    ] = "",
) -> None:
    """Print the least IAM policy as JSON, ready for `aws iam put-role-policy`.

    A role for some services or kinds goes with policies that name the same kinds in spec.resources: what a policy scans
    without the right to is a gap.
    """
    if bool(bucket) != (for_ is Purpose.LEDGER):
        raise InvalidInput("goes with --for ledger, and that with it", field="--bucket", hint="s3://BUCKET/PREFIX")
    if for_ is Purpose.LEDGER:
        if actions or services or kinds:
            raise InvalidInput("narrows what is scanned or changed, not the ledger", field="--for ledger")
        _print(ledger_policy(*bucket_and_prefix(bucket, "--bucket")))
        return
    asked = {"--price-list": price_list, "--commitment-coverage": coverage, REPORT_LINES: report_lines}
    _check(for_, actions=bool(actions), kinds=bool(services or kinds), asked=asked)
    loaded = plugins()
    chosen = kinds_of(loaded, services or (), kinds or ())
    if for_ is Purpose.SCAN:
        _print(scan_policy(loaded, chosen, price_list=price_list, coverage=coverage, report_lines=report_lines))
    else:
        _print(act_policy(loaded, chosen, actions or ()))


def _check(for_: Purpose, *, actions: bool, kinds: bool, asked: Mapping[str, bool]) -> None:
    """Refuse options that do not go together; `asked`: option → whether the reading role may ask that as well."""
    if actions and for_ is not Purpose.ACT:
        raise InvalidInput(
            "narrows the role that changes, not the one that reads", field="--action", hint="add --for act"
        )
    if actions and kinds:
        raise InvalidInput(
            "names actions, and --service and --kind name all actions of theirs", field="--action", hint="use one"
        )
    wrong = [option for option, wanted in asked.items() if wanted and for_ is not Purpose.SCAN]
    if wrong:
        raise InvalidInput("is asked by the role that reads alone", field=wrong[0], hint="use --for scan")


def _print(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


COMMAND: Final = Command("iam-policy", _run)
