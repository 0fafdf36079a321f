"""Buckets as collected and priced: settings bucket by bucket, classes of storage, requests, owners, and gaps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from tests.support.judging import Pages, without
from tests.unit.services.s3.buckets import BUCKETS, GIB, bucket, stored

from finops.domain.recommendation import ResourceRef
from finops.domain.resource import Gap, Resource
from finops.domain.utilization import MonthlyUse
from finops.errors import AwsDenied, AwsRejected, AwsThrottled
from finops_operator.plugins.facts import facts_of
from finops_operator.pricing.bundled import SOURCE
from finops_operator.scan.price import SharedUnits, cost_of
from finops_operator.services.s3.actions.s3_bucket_set_lifecycle import ACTION as SET_LIFECYCLE
from finops_operator.services.s3.bucket import KIND, BucketFacts
from finops_operator.services.s3.rules.lifecycle import rules_text
from finops_operator.services.s3.rules.storage import STORED
from finops_operator.services.s3.rules.uploads import MOST_OF_BUCKET, MOST_OF_REGION, UploadSize

MODEL = botocore.session.get_session().get_service_model("s3")
LIST, TAGS = "s3:ListBuckets", "resourcegroupstaggingapi:GetResources"
LIFECYCLE, VERSIONING = "s3:GetBucketLifecycleConfiguration", "s3:GetBucketVersioning"
UPLOADS, REQUESTS = "s3:ListMultipartUploads", "s3:ListBucketMetricsConfigurations"
PARTS = "s3:ListParts"
TAGGED = {
    "ResourceTagMappingList": [{"ResourceARN": "arn:aws:s3:::shop-data", "Tags": [{"Key": "team", "Value": "shop"}]}]
}
NO_RULES = AwsRejected("none", operation=LIFECYCLE, code="NoSuchLifecycleConfiguration")
PLAIN: Mapping[str, Any] = {
    TAGS: (TAGGED,),
    LIFECYCLE: NO_RULES,
    VERSIONING: ({},),
    UPLOADS: ({},),
    PARTS: ({},),
    REQUESTS: ({"IsTruncated": False},),
}


def described(name: str = "shop-data", **changes: Any) -> dict[str, Any]:
    return {
        "Name": name,
        "CreationDate": "2025-01-01T00:00:00.000Z",
        "BucketRegion": "us-east-1",
        **changes,
    }


def answering(*pages: Sequence[Mapping[str, Any]], error: Any = None, **answers: Any) -> Pages:
    listed: list[Any] = [{"Buckets": page} for page in pages]
    return Pages({LIST: [*listed, *([error] if error is not None else [])], **PLAIN, **answers})


def collected(**answers: Any) -> BucketFacts:
    (only,) = KIND.listing.collect(answering([described()], **answers), "aws")
    assert isinstance(only, Resource)
    return facts_of(BucketFacts, only)


def rules(*listed: Mapping[str, Any]) -> dict[str, Any]:
    return {LIFECYCLE: ({"Rules": [{"Status": "Enabled", "Filter": {}, **rule} for rule in listed]},)}


def test_a_bucket_without_settings_has_none_and_that_is_known() -> None:
    (one,) = KIND.listing.collect(answering([described()]), "aws")
    assert isinstance(one, Resource)
    assert (one.id, one.arn, one.region, one.tags) == (
        "shop-data",
        "arn:aws:s3:::shop-data",
        "us-east-1",
        {"team": "shop"},
    )
    assert one.created is not None
    assert facts_of(BucketFacts, one) == BucketFacts(
        versioning="",
        lifecycle_rules=0,
        aborts_uploads_days=0,
        expires_noncurrent=False,
        incomplete_uploads=0,
        oldest_upload="",
        request_filter="",
        tags_known=True,
        not_in_cost=("request", "retrieval", "data_transfer", "replication", "intelligent_monitoring"),
    )


def test_a_bucket_carries_versioning_uploads_and_what_counts_its_requests() -> None:
    facts = collected(
        **{
            VERSIONING: ({"Status": "Suspended"},),
            UPLOADS: (
                {"Uploads": [{"Initiated": "2026-03-01T00:00:00.000Z"}]},
                {"Uploads": [{"Initiated": "2026-02-01T00:00:00.000Z"}]},
            ),
            REQUESTS: ({"MetricsConfigurationList": [{"Id": "part", "Filter": {"Prefix": "a/"}}, {"Id": "all"}]},),
        }
    )
    assert (facts.versioning, facts.incomplete_uploads, facts.oldest_upload) == (
        "Suspended",
        2,
        "2026-02-01T00:00:00.000Z",
    )
    assert facts.request_filter == "all"
    assert facts.not_in_cost is not None
    assert "request" not in facts.not_in_cost


def upload(at: int = 0, **changes: Any) -> dict[str, Any]:
    begun = f"2026-02-{at + 1:02}T00:00:00.000Z"
    return {"Key": f"k{at}", "UploadId": f"u{at}", "Initiated": begun, "StorageClass": "STANDARD", **changes}


def parts(*sizes: int, more: bool = False) -> dict[str, Any]:
    return {"Parts": [{"PartNumber": at, "Size": size} for at, size in enumerate(sizes, 1)], "IsTruncated": more}


def test_the_parts_of_unfinished_uploads_are_added_up_page_by_page() -> None:
    uploads = ({"Uploads": [upload(0), upload(1, StorageClass="GLACIER")]},)
    pages = {f"{PARTS} k0": (parts(5, 6, more=True), parts(7)), f"{PARTS} k1": (parts(),)}
    assert collected(**{UPLOADS: uploads, **pages}).upload_sizes == (
        "18 STANDARD 2026-02-01T00:00:00.000Z",
        "0 GLACIER 2026-02-02T00:00:00.000Z",
    )
    assert UploadSize.of("18 STANDARD 2026-02-01T00:00:00.000Z") == UploadSize(
        18, "STANDARD", "2026-02-01T00:00:00.000Z"
    )


def test_an_upload_that_ended_since_it_was_listed_holds_nothing_and_a_refusal_leaves_sizes_unknown() -> None:
    uploads = ({"Uploads": [upload()]},)
    ended = AwsRejected("gone", operation=PARTS, code="NoSuchUpload")
    assert collected(**{UPLOADS: uploads, PARTS: ended}).upload_sizes == ("0 STANDARD 2026-02-01T00:00:00.000Z",)
    denied = AwsDenied("no", operation=PARTS, code="AccessDenied")
    one, gap = KIND.listing.collect(answering([described()], **{UPLOADS: uploads, PARTS: denied}), "aws")
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    assert (gap.operation, gap.resources) == ("ListParts", 1)
    facts = facts_of(BucketFacts, one)
    assert (facts.incomplete_uploads, facts.upload_sizes) == (1, None)


def test_parts_are_not_asked_for_where_a_rule_aborts_uploads_or_where_rules_are_not_known() -> None:
    uploads = {UPLOADS: ({"Uploads": [upload()]},)}
    abort = rules({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7}})
    denied = {LIFECYCLE: AwsDenied("no", operation=LIFECYCLE, code="AccessDenied")}
    for others in (abort, denied):
        reader = answering([described()], **{**uploads, **others})
        assert list(KIND.listing.collect(reader, "aws"))
        assert PARTS not in {operation for operation, _ in reader.asked}


def asked_for_parts(buckets: int, uploads: int, pages: int = 1) -> tuple[int, list[tuple[str, ...] | None]]:
    """Return how many pages of parts were read, and the sizes of each bucket."""
    read = 0

    def answer(_: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        nonlocal read
        for at in range(pages):
            read += 1
            yield parts(1, more=at < pages - 1)

    names = [described(f"b{at}") for at in range(buckets)]
    listed = ({"Uploads": [upload(at % 28, Key=f"k{at}") for at in range(uploads)]},)
    reader = answering(names, **{UPLOADS: listed, PARTS: answer})
    found = [one for one in KIND.listing.collect(reader, "aws") if isinstance(one, Resource)]
    return read, [facts_of(BucketFacts, one).upload_sizes for one in found]


@pytest.mark.parametrize(
    ("buckets", "uploads", "pages", "requests", "known"),
    [
        (1, MOST_OF_BUCKET, 1, MOST_OF_BUCKET, 1),
        (1, MOST_OF_BUCKET + 1, 1, 0, 0),
        (1, 1, MOST_OF_BUCKET, MOST_OF_BUCKET, 1),
        (1, 1, MOST_OF_BUCKET + 1, MOST_OF_BUCKET, 0),
        (1, 3, 10, MOST_OF_BUCKET, 0),
        (30, 10, 1, MOST_OF_REGION, 20),
        (30, 15, 1, 195, 13),
    ],
)
def test_requests_for_parts_are_bounded_by_bucket_and_region_and_beyond_that_sizes_are_unknown(
    buckets: int, uploads: int, pages: int, requests: int, known: int
) -> None:
    read, sizes = asked_for_parts(buckets, uploads, pages)
    assert read == requests
    assert sum(one is not None for one in sizes) == known


@pytest.mark.parametrize(
    ("rule", "whole"),
    [
        ({"Filter": {}}, True),
        ({"Filter": {"Prefix": ""}}, True),
        ({"Filter": None, "Prefix": ""}, True),
        ({"Filter": {"Prefix": "logs/"}}, False),
        ({"Filter": {"And": {"Prefix": "", "ObjectSizeGreaterThan": 5}}}, False),
        ({"Filter": {"Tag": {"Key": "a", "Value": "b"}}}, False),
        ({"Filter": None, "Prefix": "logs/"}, False),
        ({"Status": "Disabled"}, False),
    ],
)
def test_only_an_enabled_rule_for_the_whole_bucket_aborts_uploads_and_removes_versions(
    rule: dict[str, Any], whole: bool
) -> None:
    ends = {
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
    }
    facts = collected(**rules({**ends, **rule}))
    assert facts.aborts_uploads_days == (7 if whole else 0)
    assert facts.expires_noncurrent is whole


def test_the_soonest_of_several_rules_aborts_and_rules_that_are_off_do_not_count() -> None:
    soon, late = ({"AbortIncompleteMultipartUpload": {"DaysAfterInitiation": days}} for days in (3, 30))
    facts = collected(**rules(late, soon, {"Status": "Disabled"}))
    assert (facts.aborts_uploads_days, facts.lifecycle_rules) == (3, 2)


SOONER: dict[str, Any] = {"ID": "theirs", "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 3}}
THEIRS: dict[str, Any] = {"ID": "logs", "Status": "Enabled", "Filter": {"Prefix": "logs/"}, "Expiration": {"Days": 30}}


@pytest.mark.parametrize(
    ("others", "lasts"),
    [
        (lambda ours: ours, True),
        (lambda ours: [{**THEIRS, "ID": "more"}, *ours], True),
        (lambda ours: ours[:-1], False),
        (lambda ours: [*ours[:-1], {**ours[-1], "Status": "Disabled"}], False),
        (lambda ours: [*ours[:-1], {**ours[-1], **SOONER, "ID": ours[-1]["ID"]}], False),
        (lambda ours: [*ours, SOONER], False),
    ],
    ids=["as it was left", "with another rule", "without ours", "ours off", "ours changed", "others end them sooner"],
)
@pytest.mark.parametrize("before", [[], [THEIRS]])
def test_what_the_listing_shows_of_the_rule_that_the_act_set_ends_its_saving_once_it_is_another(
    before: list[dict[str, Any]], others: Callable[[Any], Any], lasts: bool
) -> None:
    act = SET_LIFECYCLE.plan(
        ResourceRef("s3-bucket", "shop-data", "arn:aws:s3:::shop-data", "111111111111", "us-east-1"),
        {"abortUploadsAfterDays": 7},
        {"lifecycle": rules_text(before), "minimumSize": "", "owner": "111111111111"},
    )
    shows, left = SET_LIFECYCLE.shows, act.steps[0].parameters["LifecycleConfiguration"]["Rules"]  # type: ignore[index,call-overload]
    listed = getattr(collected(**rules(*others(left))), shows.setting)
    assert (str(listed) == str(act.parameters[shows.parameter])) is lasts
    assert listed is not None, "that there is no rule is known too"


def test_buckets_of_other_regions_are_left_to_these() -> None:
    pages = [[described("here"), described("there", BucketRegion="eu-west-1")], [described("old", BucketRegion=None)]]
    del pages[1][0]["BucketRegion"]
    reader = answering(*pages)
    assert [one.id for one in KIND.listing.collect(reader, "aws") if isinstance(one, Resource)] == ["here", "old"]
    assert reader.asked[1] == (LIST, {"BucketRegion": "us-east-1", "MaxBuckets": 1000})
    for operation, parameters in reader.asked[1:]:
        shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
        assert not ParamValidator().validate(parameters, shape).has_errors()


def test_a_refused_listing_is_a_gap_and_pages_before_an_error_are_kept() -> None:
    denied = AwsDenied("no", operation=LIST, code="AccessDenied")
    (gap,) = KIND.listing.collect(answering(error=denied), "aws")
    assert isinstance(gap, Gap)
    assert (gap.service, gap.operation, gap.code) == ("s3", "ListBuckets", "AccessDenied")
    slow = AwsThrottled("slow down", operation=LIST, code="SlowDown")
    one, cut = KIND.listing.collect(answering([described()], error=slow), "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_a_setting_that_cannot_be_read_is_unknown_of_that_bucket_and_one_gap_counts_them() -> None:
    denied = AwsDenied("no", operation=VERSIONING, code="AccessDenied")
    reader = answering(
        [described("a"), described("b"), described("c")], **{f"{VERSIONING} a": denied, f"{VERSIONING} b": denied}
    )
    first, second, third, gap = KIND.listing.collect(reader, "aws")
    assert isinstance(gap, Gap)
    assert (gap.operation, gap.code, gap.resources) == ("GetBucketVersioning", "AccessDenied", 2)
    known = [facts_of(BucketFacts, one).versioning for one in (first, second, third) if isinstance(one, Resource)]
    assert known == [None, None, ""]


@pytest.mark.parametrize(
    ("operation", "unknown"),
    [
        (LIFECYCLE, {"lifecycle_rules", "aborts_uploads_days", "expires_noncurrent"}),
        (UPLOADS, {"incomplete_uploads", "oldest_upload", "upload_sizes"}),
        (REQUESTS, {"request_filter"}),
    ],
)
def test_a_failed_question_is_never_an_empty_answer(operation: str, unknown: set[str]) -> None:
    denied = AwsDenied("no", operation=operation, code="AccessDenied")
    one, gap = KIND.listing.collect(answering([described()], **{operation: denied}), "aws")
    assert isinstance(one, Resource)
    assert isinstance(gap, Gap)
    every = set(KIND.facts.__dataclass_fields__)
    # Without an unfinished upload there is no size to know.
    assert every - one.attributes.keys() == unknown | {"upload_sizes"}


def test_tags_that_cannot_be_read_are_a_gap_and_not_known_to_be_none() -> None:
    denied = AwsDenied("no", operation=TAGS, code="AccessDeniedException")
    gap, one = KIND.listing.collect(answering([described()], **{TAGS: denied}), "aws")
    assert isinstance(gap, Gap)
    assert isinstance(one, Resource)
    assert facts_of(BucketFacts, one).tags_known is False


@pytest.mark.parametrize(
    ("classes", "cost"),
    [
        ({"standardBytes": 100}, "2.30"),
        ({"standardBytes": 60 * 1024}, "1402.88"),  # 51,200 × 0.023 + 10,240 × 0.022
        ({"standardBytes": 600 * 1024}, "13465.60"),  # + 460,800 × 0.022 + 102,400 × 0.021
        ({"standardInfrequentBytes": 100, "standardInfrequentSmallBytes": 60}, "2.00"),
        ({"glacierBytes": 1000, "glacierIndexBytes": 100, "glacierNameBytes": 10}, "4.19"),
        ({"deepArchiveBytes": 1000, "deepArchiveStagingBytes": 10}, "1.22"),
        ({"tieringFrequentBytes": 100, "tieringInstantBytes": 100}, "2.70"),
        ({}, "0.00"),
    ],
)
def test_storage_is_billed_by_class_and_step(classes: dict[str, float], cost: str) -> None:
    known = BUCKETS.cost(bucket(), stored(**classes))
    assert (known.monthly, known.monthly_by_use) == (Decimal(cost), Decimal("0.00"))


def test_a_class_without_a_price_makes_the_cost_unknown_only_where_something_lies_in_it() -> None:
    unknown = BUCKETS.cost(bucket(), stored(standardBytes=1, tieringDeepBytes=1))
    assert unknown.monthly is None
    assert unknown.missing == ("intelligent_deep_archive: no price in us-east-1",)
    assert BUCKETS.cost(bucket(), stored(standardBytes=1)).missing == ()


@pytest.mark.parametrize("name", [one.name for one in STORED])
def test_a_bill_without_one_of_its_metrics_is_unknown(name: str) -> None:
    assert BUCKETS.cost(bucket(), without(stored(standardBytes=1), name)).monthly is None


def test_requests_are_billed_by_use_where_they_are_counted() -> None:
    counted = stored(standardBytes=100)
    month = {
        **counted.month,
        "getRequests": MonthlyUse(10_000_000, 720),
        "headRequests": MonthlyUse(0, 720),
        "putRequests": MonthlyUse(1_000_000, 720),
        "postRequests": MonthlyUse(0, 720),
        "listRequests": MonthlyUse(200_000, 720),
    }
    known = BUCKETS.cost(bucket(request_filter="all"), replace(counted, month=month), hours=720)
    # 10 million × 0.0000004 + 1.2 million × 0.000005
    assert (known.monthly, known.monthly_by_use) == (Decimal("12.30"), Decimal("10.00"))
    assert BUCKETS.cost(bucket(request_filter="all"), counted).monthly is None


def test_what_stands_in_a_class_is_asked_only_of_what_is_listed_and_requests_only_where_they_are_counted() -> None:
    sizes = [spec for spec in KIND.metrics if spec.metric == "BucketSizeBytes"]
    assert {dict(spec.also)["StorageType"] for spec in sizes} == {one.storage_type for one in STORED}
    assert all(spec.discovered and spec.missing_means_zero and spec.lag_days for spec in sizes)
    counted = bucket(request_filter="all")
    asked = [spec for spec in KIND.metrics if spec.also_of(counted) == (("FilterId", "all"),)]
    assert len(asked) == 6
    assert not any(spec.applies(bucket()) for spec in asked)
    assert all(spec.applies(counted) for spec in asked)


@pytest.mark.parametrize(
    ("tags", "system"),
    [
        ({"aws:cloudformation:stack-name": "shop"}, "CloudFormation"),
        ({"ManagedBy": "terraform"}, "Terraform"),
        ({"crossplane-name": "shop"}, "Crossplane"),
    ],
)
def test_an_owner_is_known_by_its_tags(tags: dict[str, str], system: str) -> None:
    owner = KIND.owner(replace(bucket(), tags=tags))
    assert owner is not None
    assert owner.system == system


def test_a_gib_is_what_aws_calls_a_gigabyte() -> None:
    one = BUCKETS.cost(bucket(), stored(standardBytes=1)).components[0]
    assert round(one.quantity, 6) == 1
    assert GIB == 1_073_741_824


def test_buckets_of_one_account_share_the_steps_of_the_price() -> None:
    """AWS counts the gigabytes of all buckets of an account in a region; 60 TiB are 50 at 0.023 and 10 at 0.022."""
    terabyte = 1024
    one = stored(standardBytes=6 * terabyte)
    parts = KIND.billed_parts(bucket())
    first = next(part for part in parts if part.dimension == "standard")
    assert first.query is not None
    shared = {first.query: Decimal(60 * terabyte)}
    cost = cost_of(bucket(), KIND.billed_parts, SOURCE.lookup, Decimal(730), one, shared)
    assert cost.unrounded_monthly is not None
    whole = terabyte * (50 * Decimal("0.023") + 10 * Decimal("0.022"))
    assert abs(cost.unrounded_monthly - whole / 10) < Decimal("1e-9")
    beside = SharedUnits(shared).beside(bucket(), KIND.billed_parts, one)
    last = cost_of(bucket(), KIND.billed_parts, SOURCE.lookup, Decimal(730), one, beside)
    assert last.unrounded_monthly == 6 * terabyte * Decimal("0.022")
