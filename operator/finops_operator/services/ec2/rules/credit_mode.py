"""In which credit mode burstable instances run; asked once a day for an account and region. Part of the kind.

Asked where an instance was billed for surplus credits, which unlimited mode alone brings: it may have been changed
since. Without ids AWS names the instances in unlimited mode, with some that were in it as another type; all others run
in standard mode.
Source: EC2 API reference, DescribeInstanceCreditSpecifications.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, Final

from finops.domain.resource import Resource
from finops.domain.utilization import Utilization
from finops.ports.aws_read import PageReader
from finops_operator.plugins.check import Facts
from finops_operator.plugins.kind import Question
from finops_operator.services.ec2.rules.burstable import is_burstable

CREDIT_MODE: Final = "credit-modes"
"""Question of the kind: ids of the instances of a region in unlimited mode."""
DESCRIBE_CREDITS: Final = "ec2:DescribeInstanceCreditSpecifications"
SURPLUS_CREDITS: Final = "cpuSurplusCreditsCharged"
"""Our name of the metric of credits that an instance did not earn back, which are billed."""
UNLIMITED: Final = "unlimited"
STANDARD: Final = "standard"
_READ: Final = "read"
"""Is in every answer, so that an answer without instances is one."""
_ANSWER_SERVES: Final = timedelta(days=1)
_PAGE: Final[dict[str, Any]] = {"MaxResults": 1000}


def credit_modes(reader: PageReader) -> Mapping[str, Iterable[str]]:
    """Return region → ids of the instances in unlimited mode, with `read`.

    Raises:
        AwsError: a page could not be read; half an answer would call the others standard.
    """
    found = {_READ}
    for page in reader.pages(DESCRIBE_CREDITS, _PAGE):
        listed = page.get("InstanceCreditSpecifications", ())
        found.update(str(one["InstanceId"]) for one in listed if one.get("CpuCredits") == UNLIMITED)
    return {reader.region: found}


def credit_mode(facts: Facts[Any]) -> str:
    """Return `unlimited` or `standard`, empty where AWS was not asked, gave no answer, or gave it before the instance.

    An answer serves for a day: what was created since then need not be in it.
    """
    answer, created = facts.answers.get(CREDIT_MODE), facts.resource.created
    if answer is None:
        return ""
    if facts.resource.id in answer:
        return UNLIMITED
    return "" if created is None or created >= facts.now - _ANSWER_SERVES else STANDARD


def _was_billed(instance: Resource, seen: Utilization) -> bool:
    billed = seen.metrics.get(SURPLUS_CREDITS)
    return is_burstable(instance.text("instance_type")) and billed is not None and bool(billed.total)


QUESTION: Final = Question(id=CREDIT_MODE, ask=credit_modes, place=lambda instance: instance.region, needed=_was_billed)
