"""POST /api/pushes: a scanner elsewhere has pushed its whole scan."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from finops.domain.resource import Gap, Shard
from finops.errors import InvalidInput
from finops.store.pushed import PushedResources, PushedScan
from finops_web.answers import success
from finops_web.context import Visit
from finops_web.pushing import Account, Push, Region, Word, namespace_for, run_of

ROUTER = APIRouter(tags=["resources"])


class SeenWhole(BaseModel):
    """One kind in one region of an account that the scan saw whole."""

    model_config = ConfigDict(extra="forbid")

    account: Account = Field(description="Account id, twelve digits.")
    region: Region = Field(description="Region, such as `eu-west-1`.")
    kind: str = Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=64, description="Kind, as a row names it.")
    resources: Annotated[int, Field(ge=0, le=1_000_000)] = Field(description="How many of it were pushed.")


class NotSeen(BaseModel):
    """Something that the scan could not see."""

    model_config = ConfigDict(extra="forbid")

    account: Account = Field(description="Account id, twelve digits.")
    region: Word = Field(default="", description="Region; empty: the whole account.")
    service: Word = Field(description="Service, as AWS names it.")
    operation: Word = Field(description="Operation, as AWS names it.")
    code: Word = Field(description="AWS's error code, or the scanner's.")
    message: str = Field(default="", max_length=500, description="One sentence for people.")
    resources: Annotated[int, Field(ge=0, le=1_000_000)] | None = Field(default=None, description="How many; or null.")


class WholePush(BaseModel):
    """What a scan saw whole, and what it could not see."""

    model_config = ConfigDict(extra="forbid")

    accounts: list[Account] = Field(min_length=1, max_length=20, description="The accounts that were scanned.")
    seen: list[SeenWhole] = Field(default_factory=list, max_length=500, description="What was seen whole.")
    gaps: list[NotSeen] = Field(default_factory=list, max_length=100, description="What could not be seen.")


@ROUTER.post("/api/pushes", status_code=201)
def end_push(asked: Visit, where: Push, sent: WholePush) -> dict[str, Any]:
    """Say that a scan is pushed: what it saw whole and did not push again is gone, what it could not see is a gap.

    The address names the scan by `run`, as the pushes of its resources did. Whoever began a run alone ends it (403,
    `RunOfAnother`), and what others pushed stays.
    """
    namespace = namespace_for(asked, where)
    if not where.run:
        raise InvalidInput("is missing", field="run", hint="send what the pushes of the scan had as run")
    now = asked.parts.clock.now()
    counts = {Shard(one.account, one.region, one.kind): one.resources for one in sent.seen}
    gaps = [Gap(**one.model_dump()) for one in sent.gaps]
    scans = {
        account: PushedScan(now, tuple(gap for gap in gaps if gap.account == account)) for account in sent.accounts
    }
    gone = PushedResources(asked.parts.store).end_scan(namespace, run_of(asked, where), counts, scans)
    return success({"namespace": namespace, "gone": gone, "gaps": len(gaps)}, as_of=now)
