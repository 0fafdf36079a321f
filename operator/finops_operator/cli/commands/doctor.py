"""`finops doctor`: tests every connection and right, and says for each what is missing and how to get it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Final

import typer

from finops.crds.aws_account import AwsAccount
from finops.crds.scan_policy import ScanPolicy
from finops.errors import FinopsError, InvalidInput
from finops.ports.clock import SystemClock
from finops_operator.cli.cluster_access import Cluster, open_cluster
from finops_operator.cli.command import Command
from finops_operator.cli.diagnosis.aws import AwsDoctor
from finops_operator.cli.diagnosis.cluster import accounts_of, diagnose_cluster, policies_of
from finops_operator.cli.diagnosis.coverage import diagnose_coverage
from finops_operator.cli.diagnosis.ledger_bucket import diagnose_ledger_bucket
from finops_operator.cli.diagnosis.price_list import diagnose_price_list
from finops_operator.cli.diagnosis.prices import diagnose_prices
from finops_operator.cli.diagnosis.result import Result, Verdict, failed
from finops_operator.cli.diagnosis.store import diagnose_store
from finops_operator.cli.documents import read_documents
from finops_operator.cli.failures import FAILED, GAPS
from finops_operator.cli.options import Context, Kubeconfig, Namespace, Output, Redis
from finops_operator.cli.output import Column, Format, Record, emit, field
from finops_operator.cli.store_access import settings_with
from finops_operator.cli.tables import Fit
from finops_operator.plugins.loaded import plugins_with


def _finding(result: Record) -> str:
    """Return what was tested, what was seen and what to do about it, for a table that fits a terminal."""
    seen = "; ".join(str(text) for text in (result["detail"], result["hint"]) if text)
    return f"{result['check']}: {seen}" if seen else str(result["check"])


_COLUMNS: Final = (field("verdict"), field("part"), Column("finding", _finding, fit=Fit.FOLD))
_DATA: Final = (field("verdict"), field("part"), field("check"), field("detail"), field("hint"))


def _run(
    files: Annotated[
        list[str] | None,
        typer.Option("--file", "-f", metavar="FILE", help="AwsAccount documents to check, and ScanPolicies."),
    ] = None,
    output: Output = Format.TABLE,
    redis: Redis = "",
    kubeconfig: Kubeconfig = "",
    context: Context = "",
    namespace: Namespace = "",
) -> None:
    """Test identity, permissions, regions, prices, store, ledger, kinds, rights and Slack; nothing is changed anywhere.

    Accounts come from -f, else from the cluster. AWS is asked with your own credentials. Exit code 1 when something
    failed, 3 when there are warnings.
    """
    results: list[Result] = []

    def reported() -> Iterator[Result]:
        for result in _diagnose(files or [], redis, (kubeconfig, context, namespace)):
            results.append(result)
            yield result

    emit((result.to_json() for result in reported()), _COLUMNS if output is Format.TABLE else _DATA, output)
    verdicts = {result.verdict for result in results}
    if Verdict.FAILED in verdicts:
        raise typer.Exit(FAILED)
    if Verdict.WARNING in verdicts:
        raise typer.Exit(GAPS)


def _diagnose(files: list[str], redis: str, place: tuple[str, str, str]) -> Iterator[Result]:
    clock, settings = SystemClock(), settings_with(redis)
    loaded = plugins_with(settings.price_tables)
    documents = read_documents(files, loaded, clock.now())
    accounts = tuple(documents.accounts.values())
    policies: tuple[ScanPolicy, ...] | None = tuple(documents.policies) or None
    cluster = None
    try:
        cluster = open_cluster(*place)
    except InvalidInput as error:
        yield Result("kubernetes", "configuration", Verdict.UNKNOWN, error.message, error.hint)
    if cluster is not None:
        yield from diagnose_cluster(cluster)
        accounts, policies = accounts or _from(cluster), policies or policies_of(cluster)
    doctor = AwsDoctor(loaded, clock, namespace=cluster.namespace if cluster else "default", demo=settings.demo)
    try:
        yield from doctor.diagnose(accounts, policies or ())
    except FinopsError as error:
        yield failed("aws", "connection", error)
    yield from diagnose_prices(loaded, clock.now().date(), _regions(policies or (), accounts))
    by_name = {one.metadata.name: one for one in accounts}
    yield from diagnose_price_list(policies, by_name, loaded.kinds, doctor.reader, clock)
    yield from diagnose_coverage(policies, by_name, settings)
    yield from diagnose_store(settings)
    yield from diagnose_ledger_bucket(settings, clock)


def _regions(policies: Iterable[ScanPolicy], accounts: Iterable[AwsAccount]) -> frozenset[str]:
    """Return the regions that scans use, none where an account may be scanned in all that it has enabled."""
    named = (*(one.spec.regions for one in policies), *(one.spec.regions for one in accounts))
    return frozenset(region for regions in named for region in regions)


def _from(cluster: Cluster) -> tuple[AwsAccount, ...]:
    try:
        return accounts_of(cluster)
    except FinopsError:
        # The connection itself was reported as failed above.
        return ()


COMMAND: Final = Command("doctor", _run)
