"""What every endpoint shares by which a scanner elsewhere pushes resources: rights, bounds, and how they are kept.

A scanner sends what AWS said of a resource, by the names that the lists answer with. What it says of costs and metrics
is left out: the operator prices what was pushed. Nothing acts on it.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, TypeAlias

from fastapi import Depends, Header, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from finops.domain.canonical import Json
from finops.domain.resource import Resource
from finops.domain.utilization import MonthlyUse
from finops.errors import InvalidInput, Refused
from finops.store.pushed import PushedResource, PushedResources, Run
from finops_web.answers import success
from finops_web.context import Asked
from finops_web.push_facts import require_possible

MOST_AT_ONCE: Final = 500
_LARGEST: Final = 16 * 1024
"""Most bytes of one resource's tags and facts, so that those of a namespace have a bound together."""
_SERVICE_ACCOUNT: Final = re.compile(r"system:serviceaccount:([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?):[^:]+")
_NAMESPACE: Final = r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$"
_ACCOUNT: Final = r"^[0-9]{12}$"
REGION: Final = r"^[a-z]{2,4}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$|^global$"
_OF_LISTS: Final = frozenset(
    {
        *("hourly_cost", "monthly_cost", "annual_cost", "attributed_monthly_cost", "attributed_unknown"),
        *("price_missing", "price", "pushed", "metrics", "utilization", "cpu", "instance_costs"),
        *("instance_hourly_cost", "storage_hourly_cost"),
    }
)
"""Fields that the lists answer with and that nobody can set: a row that was read can be sent back as it is."""

_Text: TypeAlias = Annotated[str, StringConstraints(max_length=256)]
Id: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=r"^[!-~]+$")]
Arn: TypeAlias = Annotated[str, StringConstraints(max_length=2048, pattern=r"^(arn:[!-~]*)?$")]
Word: TypeAlias = Annotated[str, StringConstraints(max_length=256)]
Account: TypeAlias = Annotated[str, StringConstraints(pattern=_ACCOUNT)]
Region: TypeAlias = Annotated[str, StringConstraints(pattern=REGION)]
Number: TypeAlias = Annotated[int, Field(ge=0, le=2**53)]


class Use(BaseModel):
    """What the last 30 days brought of a metric that is billed by use."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    amount: Annotated[float, Field(ge=0, le=1e18)] = Field(description="Of a counter the sum, of a level the newest.")
    hours: Annotated[float, Field(gt=0, le=744)] | None = Field(
        default=None, description="The hours that a sum is of; null for a level."
    )


class PushedFields(BaseModel, ABC):
    """What every kind has; `attributes` are further facts of the kind, by the names of a scan report."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)
    KIND: ClassVar[str] = ""

    account: Account | None = Field(
        default=None, description="Account id, twelve digits. Default: that of the ARN, or the parameter `account`."
    )
    region: Region = Field(description="Region, such as `eu-west-1`.")
    tags: dict[_Text, _Text] = Field(default_factory=dict, max_length=50, description="All tags.")
    created: AwareDatetime | None = Field(default=None, description="When it was made or launched.")
    attributes: dict[_Text, Any] = Field(
        default_factory=dict, max_length=100, description="Further facts, named as in `/api/resources`."
    )
    monthly_use: dict[_Text, Use] = Field(
        default_factory=dict, max_length=50, description="Metric → what the last 30 days brought of it."
    )

    @model_validator(mode="before")
    @classmethod
    def _without_what_lists_add(cls, sent: Any) -> Any:
        if not isinstance(sent, Mapping):
            return sent
        return {key: value for key, value in sent.items() if key not in _OF_LISTS}

    def kind_(self) -> str:
        """Return the kind."""
        return self.KIND

    @abstractmethod
    def identity(self) -> tuple[str, str, str, str]:
        """Return id, ARN, name and state."""

    def facts(self) -> dict[str, Json]:
        """Return the facts that have a field of their own here; what was not sent is not known and left out."""
        return {}


def facts_among(sent: BaseModel, *names: str) -> dict[str, Json]:
    """Return those of the named fields that were sent."""
    return {name: value for name in names if (value := getattr(sent, name)) is not None}


@dataclass(frozen=True, slots=True)
class Pushing:
    """Where a push goes, as its address says.

    Attributes:
        account: for what names no account and has no ARN.
        run: what the scanner calls its scan.
    """

    namespace: str
    account: str
    run: str
    form_secret: str


def asked_push(
    namespace: Annotated[
        str, Query(pattern=_NAMESPACE, description="Where to keep them. Default: that of the service account.")
    ] = "",
    account: Annotated[
        str, Query(pattern=r"^([0-9]{12})?$", description="Account of what names none and has no ARN.")
    ] = "",
    run: Annotated[
        str,
        Query(pattern=r"^[A-Za-z0-9._-]{0,64}$", description="What the scanner calls its scan; see POST /api/pushes."),
    ] = "",
    x_form_secret: Annotated[
        str, Header(max_length=128, description="Of the form, where a browser's session sends; programs need none.")
    ] = "",
) -> Pushing:
    """Return what an address says of a push."""
    return Pushing(namespace, account, run, x_form_secret)


Push: TypeAlias = Annotated[Pushing, Depends(asked_push)]
"""The parameter by which an endpoint takes where a push goes."""


def namespace_for(asked: Asked, wanted: Pushing) -> str:
    """Return the namespace a push goes into.

    Raises:
        InvalidInput: none is named, and the token is no service account's.
        Refused: the visitor may not push there.
    """
    asked.require_form(wanted.form_secret)
    own = _SERVICE_ACCOUNT.fullmatch(asked.visitor.name)
    namespace = wanted.namespace or (own.group(1) if own else "")
    if not namespace:
        raise InvalidInput("is missing", field="namespace", hint="name it: …?namespace=team-a")
    if not asked.may_push(namespace):
        raise Refused(
            f"you may not push resources into namespace {namespace}",
            code="Forbidden",
            hint="ask for create on scanpolicies/push there: the ClusterRole RELEASE-NAMESPACE-push has it",
        )
    return namespace


def pushed(asked: Asked, wanted: Pushing, sent: PushedFields | Sequence[PushedFields]) -> dict[str, Any]:
    """Keep what was sent, all of it or nothing, and return the answer. Sent twice it is kept once.

    Raises:
        InvalidInput: something of it cannot be taken; names it.
        Refused: the visitor may not, somebody else began the run, or the namespace holds too many.
        StoreUnavailable: some of it may be kept; send it again.
    """
    namespace = namespace_for(asked, wanted)
    items = sent if isinstance(sent, Sequence) else (sent,)
    run = run_of(asked, wanted)
    made = [
        PushedResource(
            _resource(one, wanted.account, f"[{number}]." if isinstance(sent, Sequence) else ""),
            run.at,
            run.by,
            run.name,
            {name: MonthlyUse(use.amount, use.hours) for name, use in one.monthly_use.items()},
        )
        for number, one in enumerate(items)
    ]
    PushedResources(asked.parts.store).put(namespace, made)
    data = {"namespace": namespace, "pushed": len(made), "ids": [one.resource.id for one in made]}
    return success(data, as_of=run.at)


def run_of(asked: Asked, wanted: Pushing) -> Run:
    """Return the run that the address names, as the visitor's."""
    return Run(wanted.run, asked.visitor.name[:256], asked.parts.clock.now())


def _resource(sent: PushedFields, account: str, place: str) -> Resource:
    identity, arn, name, state = sent.identity()
    owner = sent.account or account or (arn.split(":")[4] if arn.count(":") >= 5 else "")
    if re.fullmatch(_ACCOUNT, owner) is None:
        raise InvalidInput("is missing", field=f"{place}account", hint="send it, an ARN, or the parameter account")
    attributes = {**sent.attributes, **sent.facts()}
    try:
        size = len(json.dumps([attributes, sent.tags]))
    except (ValueError, RecursionError):
        size = _LARGEST + 1
    if size > _LARGEST:
        raise InvalidInput("are too large", field=f"{place}attributes", hint=f"send at most {_LARGEST} bytes of each")
    made = Resource(
        sent.kind_(),
        identity,
        arn,
        name or sent.tags.get("Name", ""),
        owner,
        sent.region,
        state,
        sent.tags,
        sent.created,
        attributes,
    )
    require_possible(made, place)
    return made
