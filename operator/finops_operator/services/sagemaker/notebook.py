"""Notebook instances: ListNotebookInstances, a machine each, billed while it runs, and its disk all the time.

Loaded by the registry; walked by the discover stage. The size of a disk takes a call of its own. SageMaker has prices
in AWS's price list alone: without it the cost is unknown. SageMaker publishes nothing about a notebook; the time of its
last change is that of its last start or stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from finops.domain.focus.categories import BilledAs
from finops.domain.price import PriceQuery
from finops.domain.resource import Gap, Resource
from finops.errors import AwsError
from finops.ports.aws_read import PageReader
from finops_operator.plugins.console import console_page
from finops_operator.plugins.described import gap_of, parse_seconds, parse_time
from finops_operator.plugins.facts import attributes_of, facts_of
from finops_operator.plugins.kind import BilledPart, Listing, ResourceKind, Sample, States
from finops_operator.plugins.limit import Limit
from finops_operator.plugins.one_by_one import OneByOne
from finops_operator.plugins.ownership import owned_by
from finops_operator.plugins.tagging import CALLS, PERMISSION, Tags, tags_by_arn
from finops_operator.services.sagemaker.rules.offers import NOTEBOOKS, hour_query
from finops_operator.services.sagemaker.rules.signs import SIGNS

_LIST: Final = "sagemaker:ListNotebookInstances"
_DESCRIBE: Final = "sagemaker:DescribeNotebookInstance"
_PAGE: Final = 100
_GONE: Final = "Deleting"
IN_SERVICE: Final = "inservice"
STOPPED: Final = "stopped"
_WORKING: Final = frozenset({IN_SERVICE, "updating", "inmaintenance", "pendingmaintenance"})
_UNBILLED: Final = frozenset({"deleting", "failed"})
_KEPT: Final = frozenset({STOPPED, "stopping"})


@dataclass(frozen=True, slots=True)
class NotebookFacts:
    """What is known of one notebook; None: AWS did not say. Names as in the reports' `attributes`.

    Attributes:
        notebook_changed_at: ISO time of the last start, stop or change of settings.
        lifecycle_configuration: name of the scripts that run at its start, empty for none; a stop by itself is one.
        tags_known: False when its tags could not be read: it may be protected.
    """

    instance_type: str | None = None
    volume_gb: int | None = None
    notebook_changed_at: str | None = None
    lifecycle_configuration: str | None = None
    tags_known: bool | None = None


def _collect(reader: PageReader, partition: str) -> Iterator[Resource | Gap]:
    """Yield notebooks page by page; a page that cannot be read ends the listing with a Gap."""
    del partition
    tags = yield from tags_by_arn(reader, "sagemaker:notebook-instance")
    asking = OneByOne(reader)
    try:
        for page in reader.pages(_LIST, {"MaxResults": _PAGE}):
            for notebook in page.get("NotebookInstances", ()):
                if notebook.get("NotebookInstanceStatus") != _GONE:
                    named = {"NotebookInstanceName": str(notebook["NotebookInstanceName"])}
                    yield _resource(notebook, asking.answer(_DESCRIBE, named) or {}, tags, reader)
    except AwsError as error:
        yield gap_of(error, reader)
    yield from asking.gaps


def _resource(
    notebook: Mapping[str, Any], description: Mapping[str, Any], tags: Tags | None, reader: PageReader
) -> Resource:
    name, arn = str(notebook["NotebookInstanceName"]), str(notebook["NotebookInstanceArn"])
    created, changed = notebook.get("CreationTime"), notebook.get("LastModifiedTime")
    last = parse_time(changed) or parse_seconds(changed)
    facts = NotebookFacts(
        instance_type=notebook.get("InstanceType"),
        volume_gb=description.get("VolumeSizeInGB"),
        notebook_changed_at=None if last is None else last.isoformat(),
        lifecycle_configuration=str(notebook.get("NotebookInstanceLifecycleConfigName") or ""),
        tags_known=tags is not None,
    )
    return Resource(
        kind="sagemaker-notebook",
        id=name,
        arn=arn,
        name=name,
        account=reader.account,
        region=reader.region,
        state=str(notebook.get("NotebookInstanceStatus") or "").lower(),
        tags={} if tags is None else tags.get(arn) or {},
        created=parse_time(created) or parse_seconds(created),
        attributes=attributes_of(facts),
    )


def billed_parts(notebook: Resource) -> tuple[BilledPart, ...]:
    """Return its machine while it runs, and its disk. https://aws.amazon.com/sagemaker/ai/pricing/ ."""
    facts, region = facts_of(NotebookFacts, notebook), notebook.region
    disk = BilledPart("volume_gb_month", Decimal(0), None, "the size of its disk is not known")
    if facts.volume_gb is not None:
        query = PriceQuery("sagemaker", region, "notebook_gb_month")
        disk = BilledPart("volume_gb_month", Decimal(facts.volume_gb), query, "no price for the disks of notebooks")
    if notebook.state in _KEPT:
        return (disk,)
    if notebook.state in _UNBILLED:
        return ()
    if notebook.state not in _WORKING:
        what = f"what AWS bills in the state {notebook.state or 'that it did not give'}"
        return (BilledPart("instance_hour", Decimal(0), None, what),)
    if not facts.instance_type:
        return (BilledPart("instance_hour", Decimal(1), None, "its type is not known"), disk)
    hours = hour_query(region, "notebook_hour", facts.instance_type)
    return (BilledPart("instance_hour", Decimal(1), hours, "no price for SageMaker instances"), disk)


KIND: Final = ResourceKind(
    id="sagemaker-notebook",
    title="SageMaker notebook instance",
    service="sagemaker",
    id_pattern=r"[A-Za-z0-9](?:-*[A-Za-z0-9]){0,62}",
    arn_pattern="arn:*:sagemaker:*:*:notebook-instance/*",
    limits={
        "volume_gb": Limit(16_384, "GB", "Amazon SageMaker API reference, “CreateNotebookInstance”"),
    },
    facts=NotebookFacts,
    listing=Listing(
        permissions=(_LIST, _DESCRIBE, PERMISSION),
        collect=_collect,
        probes={_DESCRIBE: lambda known: {"NotebookInstanceName": known}},
        calls=CALLS,
    ),
    billed_as=BilledAs("Amazon SageMaker", "AI and Machine Learning", "Machine Learning"),
    states=States(running=_WORKING, stopped=_KEPT, billed=_WORKING | _KEPT, free=_UNBILLED),
    billed_parts=billed_parts,
    left_out=(),
    offers=NOTEBOOKS,
    console_url=console_page("sagemaker/home?region={region}#/notebook-instances/{id}"),
    sample=Sample("my-notebook", "arn:aws:sagemaker:us-east-1:111111111111:notebook-instance/my-notebook"),
    owner=owned_by(SIGNS),
    type_of=lambda resource: resource.text("instance_type"),
)
