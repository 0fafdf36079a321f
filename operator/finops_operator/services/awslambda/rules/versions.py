"""Which functions have published versions; asked once a day for an account and region.

Called by the kind for functions whose memory is measured and mostly free, the only ones that it matters for. A
published version cannot be changed: it keeps its memory, and so do requests through an alias that names it, while
invocations, duration and memory are measured of all versions together. Source: AWS Lambda API reference, ListFunctions
(`FunctionVersion`); developer guide, "Manage Lambda function versions".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.ports.aws_read import PageReader
from finops_operator.plugins.kind import Question

PUBLISHED: Final = "functions-with-versions"
"""Question of the kind: names of the functions that have a published version."""
READ: Final = "(read)"
"""Is in every answer, so that an answer without functions is one; no function can be called so."""
BY_MEMORY: Final = frozenset({"gb_second", "provisioned_gb_second", "provisioned_duration_gb_second"})
"""Dimensions of what is billed by the memory that a function is given."""
MEMORY: Final = "memoryPercent"
LIST: Final = "lambda:ListFunctions"
UNPUBLISHED: Final = "$LATEST"
_PAGE: Final = 50
_MOSTLY_FREE_PERCENT: Final = 80.0
"""No policy can call a function too large that once used as much."""


def why_not_one(name: str, answers: Mapping[str, frozenset[str]]) -> str:
    """Return why a change of the unpublished function is not one for all of its requests, empty when it is."""
    known = answers.get(PUBLISHED)
    if known is None:
        return "whether it has published versions is not known"
    return "it has published versions, which keep their memory whatever is set" if name in known else ""


def _ask(reader: PageReader) -> Mapping[str, Iterable[str]]:
    found = {READ}
    for page in reader.pages(LIST, {"FunctionVersion": "ALL", "MaxItems": _PAGE}):
        for function in page.get("Functions", ()):
            if function.get("Version") != UNPUBLISHED:
                found.add(str(function.get("FunctionName")))
    return {reader.region: found}


def _needed(_function: Resource, utilization: Utilization) -> bool:
    memory = utilization.best(MEMORY)
    return memory is not None and memory.maximum < _MOSTLY_FREE_PERCENT


QUESTION: Final = Question(id=PUBLISHED, ask=_ask, place=lambda resource: resource.region, needed=_needed)
