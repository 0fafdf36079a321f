"""How long AWS supports a major version of an open source engine without a charge: RDS says so itself.

A version past its standard support is billed by the virtual CPU and hour while its database is enrolled in extended
support; one that is not enrolled is upgraded by RDS. The dates are asked of AWS once a day, so that none of them stands
here. Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/extended-support.html
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any, Final

from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.ports.aws_read import PageReader
from finops_operator.plugins.described import parse_time
from finops_operator.plugins.kind import Question

SUPPORT_ENDS: Final = "standard-support-ends"
"""Question of databases and clusters: the day on which AWS's standard support of their version ends."""

OPERATION: Final = "rds:DescribeDBMajorEngineVersions"
ENROLLED: Final = "open-source-rds-extended-support"
"""`EngineLifecycleSupport` of a database that RDS does not upgrade, but bills."""

_STANDARD: Final = "open-source-rds-standard-support"
_ONE_PART: Final = frozenset({"postgres", "aurora-postgresql"})
"""Engines whose major version is one number, from 10 on."""

_TWO_PARTS: Final = frozenset({"mysql", "mariadb", "aurora-mysql"})
_LAST_WITH_TWO: Final = 9
_PAGE: Final = 100


def major_version(engine: str, version: str) -> str:
    """Return the part of a version that has a lifecycle, empty for engines whose lifecycle AWS does not give."""
    numbers = version.split(".")
    if engine in _ONE_PART:
        old = numbers[0].isdigit() and int(numbers[0]) <= _LAST_WITH_TWO
        return ".".join(numbers[:2]) if old else numbers[0]
    return ".".join(numbers[:2]) if engine in _TWO_PARTS else ""


def end_of_standard_support(answers: Mapping[str, frozenset[str]]) -> date | None:
    """Return the day that AWS answered, None when it is not known."""
    day = next(iter(answers.get(SUPPORT_ENDS, ())), "")
    return date.fromisoformat(day) if day else None


def standard_ends(reader: PageReader) -> dict[str, str]:
    """Return engine and major version → ISO day on which standard support ends.

    Raises:
        AwsError: a page could not be read; half an answer is none.
    """
    found: dict[str, str] = {}
    for page in reader.pages(OPERATION, {"MaxRecords": _PAGE}):
        for version in page.get("DBMajorEngineVersions", ()):
            day = _standard_end(version.get("SupportedEngineLifecycles") or ())
            if day:
                found[f"{version.get('Engine')} {version.get('MajorEngineVersion')}"] = day
    return found


def _ask(reader: PageReader) -> Mapping[str, Iterable[str]]:
    return {version: [day] for version, day in standard_ends(reader).items()}


def _standard_end(lifecycles: Iterable[Mapping[str, Any]]) -> str:
    for one in lifecycles:
        end = parse_time(one.get("LifecycleSupportEndDate"))
        if one.get("LifecycleSupportName") == _STANDARD and end is not None:
            return end.date().isoformat()
    return ""


def _place(resource: Resource) -> str:
    major = major_version(resource.text("engine"), resource.text("engine_version"))
    return f"{resource.text('engine')} {major}" if major else ""


def _needed(resource: Resource, _: Utilization) -> bool:
    return resource.text("engine_lifecycle_support") == ENROLLED


QUESTION: Final = Question(id=SUPPORT_ENDS, ask=_ask, place=_place, needed=_needed)
