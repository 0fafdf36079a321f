"""One request to AWS as the handlers get it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from finops_sandbox.aws.faults import CallFacts
from finops_sandbox.aws.identity import Caller
from finops_sandbox.aws.live_estate import LiveEstate


@dataclass(frozen=True, slots=True)
class Call:
    """One authenticated request; `strict` says whether the strict layer knows its service."""

    service: str
    action: str
    account: str
    region: str
    caller: Caller
    parameters: Mapping[str, Any]
    estate: LiveEstate
    strict: bool = True

    def facts(self, *resources: str) -> CallFacts:
        return CallFacts(self.service, self.action, self.account, self.region, resources)

    @property
    def backend(self) -> Any:
        return self.estate.backend(self.account, self.region)


Handler = Callable[[Call], Mapping[str, Any]]
"""What answers an action: returns the members of its answer, or raises AwsError."""
