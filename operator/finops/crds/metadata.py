"""Kubernetes' own metadata, as far as this product reads or writes it.

The API server defines these fields, so unknown ones are dropped here instead of refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from finops.crds.rule import pattern_rule

_LABEL: Final = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_NAME: Final = pattern_rule(
    f"{_LABEL}([.]{_LABEL})*",
    "is not a name that Kubernetes takes",
    "write small letters, digits, - and ., such as nightly-scan",
)
_NAMESPACE: Final = pattern_rule(
    _LABEL, "is not a namespace that Kubernetes takes", "write small letters, digits and -, such as team-a"
)


class OwnerReference(BaseModel):
    """The object that takes this one along when it is deleted."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class Metadata(BaseModel):
    """Name, identity and times of an object; texts absent on the server are empty here."""

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, validate_by_name=True, validate_by_alias=True
    )

    name: Annotated[str, Field(min_length=1, max_length=253), _NAME]
    namespace: Annotated[str, Field(max_length=63), _NAMESPACE] | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: AwareDatetime | None = None
    deletion_timestamp: AwareDatetime | None = None
    labels: Mapping[str, str] = Field(default_factory=dict)
    annotations: Mapping[str, str] = Field(default_factory=dict)
    owner_references: tuple[OwnerReference, ...] = ()
