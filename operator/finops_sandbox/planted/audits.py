"""Planted trails of CloudTrail.

Rules: CloudTrail user guide, "Managing CloudTrail trail costs" (the first copy of management events in each region is
free, every further one is billed) and "Multi-Region trails and opt-in Regions" (a trail is described in each region,
and changed and asked for its event selectors in its home region); API reference, DescribeTrails (an organization's
trail is shown to its member accounts).
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from finops_sandbox.planted.site import Site, ago

_ORGANIZATION: Final = "999999999999"
_DATA: Final = {"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::shop/"]}


def _described(site: Site, name: str, *, account: str = "", region: str = "", **facts: Any) -> str:
    """Add a trail to what the region shows; return its ARN."""
    arn = f"arn:aws:cloudtrail:{region or site.region}:{account or site.account}:trail/{name}"
    item = {
        "Name": name,
        "TrailARN": arn,
        "HomeRegion": region or site.region,
        "S3BucketName": f"logs-of-{name}",
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": False,
        "IsOrganizationTrail": False,
        "LogFileValidationEnabled": True,
        "HasCustomEventSelectors": False,
        "HasInsightSelectors": False,
    }
    site.listed("cloudtrail:DescribeTrails", {**item, **facts}, member="trailList")
    return arn


def _trail(
    site: Site, name: str, selectors: list[dict[str, Any]] | None = None, /, *, days: float = 400, **facts: Any
) -> str:
    """Add a trail that is at home here and has logged for so many days; 0: it was stopped."""
    arn = _described(site, name, HasCustomEventSelectors=selectors is not None, **facts)
    status = {"IsLogging": bool(days), "StartLoggingTime": ago(days or 400)}
    site.answered("cloudtrail:GetTrailStatus", {"Name": arn}, **status)
    if selectors is not None:
        site.answered("cloudtrail:GetEventSelectors", {"TrailName": arn}, TrailARN=arn, EventSelectors=selectors)
    return name


def _seen_from_elsewhere(site: Site) -> None:
    """Add what a region shows of trails that are not at home in it; none of them is a resource of this place."""
    region = "us-west-1"
    shadow = _described(site, "trail-shadow", region=region, IsMultiRegionTrail=True, HasCustomEventSelectors=True)
    site.answered("cloudtrail:GetTrailStatus", {"Name": shadow}, IsLogging=True, StartLoggingTime=ago(400))
    site.refused("cloudtrail:GetEventSelectors", {"TrailName": shadow}, "TrailNotFoundException")
    foreign = _described(
        site, "trail-everybody", account=_ORGANIZATION, IsMultiRegionTrail=True, IsOrganizationTrail=True
    )
    site.refused("cloudtrail:GetTrailStatus", {"Name": foreign}, "TrailNotFoundException")
    site.refused("cloudtrail:GetEventSelectors", {"TrailName": foreign}, "TrailNotFoundException")


def trails(site: Site) -> None:
    """Trails, of which one delivers everything in every region."""
    trail = partial(_trail, site)
    site.kept(trail("trail-audit", IsMultiRegionTrail=True), "everything in every region: the copy that is free")
    twice = trail("trail-team")
    site.wasted(twice, "the same events in a bucket of its own: the second copy", cloudtrail_trail_duplicate=None)
    changes = trail("trail-changes", [{"ReadWriteType": "WriteOnly", "DataResources": [_DATA]}])
    site.wasted(changes, "changes once more, beside data events", cloudtrail_trail_duplicate=None)

    data = trail("trail-data", [{"IncludeManagementEvents": False, "DataResources": [_DATA]}])
    site.kept(data, "data events, which no other trail delivers")
    site.kept(trail("trail-stopped", days=0), "stopped, so that nothing is delivered")
    site.kept(trail("trail-new", days=5), "five days old: somebody moves from one trail to another")
    whole = {"IsMultiRegionTrail": True, "IsOrganizationTrail": True}
    all_accounts = trail("trail-organization", [{"ReadWriteType": "WriteOnly"}], **whole)
    site.kept(all_accounts, "of all accounts, where the account's own trail delivers one account")
    _seen_from_elsewhere(site)
