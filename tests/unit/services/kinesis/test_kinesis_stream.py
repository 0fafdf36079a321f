"""Streams as collected: shards and consumers, tags, errors as gaps, and a cost that no table knows."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import botocore.session
from botocore.validate import ParamValidator
from tests.support.judging import Pages
from tests.unit.services.kinesis.streams import ARN, STREAMS, stream

from finops.domain.canonical import Json
from finops.domain.resource import Gap, Resource
from finops.errors import AwsDenied, AwsThrottled
from finops_operator.services.kinesis.stream import KIND, stream_facts

MODEL = botocore.session.get_session().get_service_model("kinesis")
LIST, DESCRIBE, TAGS = "kinesis:ListStreams", "kinesis:DescribeStreamSummary", "resourcegroupstaggingapi:GetResources"


def described(**changes: Any) -> dict[str, Any]:
    return {
        "StreamName": "events",
        "StreamARN": ARN,
        "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        "StreamCreationTimestamp": "1767225600.0",
        **changes,
    }


def reader(*streams: dict[str, Any], **answers: Any) -> Pages:
    summary = {
        "OpenShardCount": 4,
        "ConsumerCount": 1,
        "RetentionPeriodHours": 168,
        "EnhancedMonitoring": [{"ShardLevelMetrics": ["IncomingBytes"]}],
    }
    tags = [{"ResourceARN": ARN, "Tags": [{"Key": "team", "Value": "shop"}]}]
    return Pages(
        {
            LIST: [{"StreamSummaries": list(streams)}],
            DESCRIBE: [{"StreamDescriptionSummary": summary}],
            TAGS: [{"ResourceTagMappingList": tags}],
            **answers,
        }
    )


def test_a_stream_carries_its_shards_consumers_and_retention() -> None:
    (one,) = KIND.listing.collect(reader(described()), "aws")
    assert isinstance(one, Resource)
    facts = stream_facts(one)
    assert (one.id, one.arn, one.state, one.tags) == ("events", ARN, "active", {"team": "shop"})
    assert one.created is not None
    assert (facts.mode, facts.shards, facts.consumers) == ("PROVISIONED", 4, 1)
    assert (facts.retention_hours, facts.shard_metrics, facts.tags_known) == (168, True, True)
    assert described().keys() <= MODEL.shape_for("StreamSummary").members.keys()


def test_calls_are_as_the_api_allows_and_a_stream_that_is_being_deleted_is_left_out() -> None:
    asked = reader(described(), described(StreamName="old", StreamStatus="DELETING"))
    assert len(list(KIND.listing.collect(asked, "aws"))) == 1
    for operation, parameters in asked.asked:
        if operation != TAGS:
            shape = MODEL.operation_model(operation.partition(":")[2]).input_shape
            assert not ParamValidator().validate(parameters, shape).has_errors()


def test_a_summary_that_could_not_be_read_is_unknown_and_asked_for_once() -> None:
    denied = AwsDenied("no", operation=DESCRIBE, code="AccessDeniedException")
    two = reader(described(), described(StreamName="other"), **{DESCRIBE: [denied]})
    *found, gap = KIND.listing.collect(two, "aws")
    assert [stream_facts(one).shards for one in found if isinstance(one, Resource)] == [None, None]
    assert isinstance(gap, Gap)
    assert [operation for operation, _ in two.asked].count(DESCRIBE) == 1


def test_a_refused_listing_is_a_gap_and_pages_before_an_error_are_kept() -> None:
    (gap,) = KIND.listing.collect(reader(**{LIST: [AwsDenied("no", operation=LIST, code="AccessDenied")]}), "aws")
    assert isinstance(gap, Gap)
    slow = AwsThrottled("slow down", operation=LIST, code="LimitExceededException")
    one, cut = KIND.listing.collect(reader(**{LIST: [{"StreamSummaries": [described()]}, slow]}), "aws")
    assert isinstance(one, Resource)
    assert isinstance(cut, Gap)


def test_its_cost_is_unknown_and_never_zero_while_it_works() -> None:
    assert STREAMS.cost(stream()).missing == ("shard_hour: no price for shards",)
    assert STREAMS.cost(stream(mode="ON_DEMAND")).missing == ("stream_hour: no price for streams on demand",)
    assert KIND.billed_parts(stream("creating")) == ()


def test_shards_and_a_longer_retention_are_asked_of_the_price_list_and_the_rest_is_named() -> None:
    def asked(**facts: Json) -> list[tuple[str, str, Decimal]]:
        parts = KIND.billed_parts(stream(**facts))
        return [(one.dimension, one.query.dimension if one.query else "", one.quantity) for one in parts]

    assert asked() == [("shard_hour", "shard_hour", Decimal(4))]
    longer = asked(retention_hours=48, consumers=2, shard_metrics=True)
    assert longer[1] == ("extended_shard_hour", "extended_shard_hour", Decimal(4))
    assert longer[2:] == [("consumer_hour", "", Decimal(2)), ("shard_metrics", "", Decimal(0))]
    assert asked(mode="ON_DEMAND") == [("stream_hour", "stream_hour", Decimal(1))]
    assert asked(shards=None) == [("shard_hour", "", Decimal(0))]


def test_a_missing_point_is_unknown_and_an_owner_is_known_by_tags() -> None:
    assert not any(spec.missing_means_zero for spec in KIND.metrics)
    assert not any(spec.applies(stream("creating")) for spec in KIND.metrics)
    owner = KIND.owner(replace(stream(), tags={"crossplane-name": "events"}))
    assert owner is not None
    assert owner.system == "Crossplane"
