"""What is watched of acts that no load shows: stopped and started databases, a retention, a lifecycle rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from tests.support.act_reading import CannedReader

from finops.domain.recommendation import ResourceRef
from finops.domain.watching import Health, Sign, verdict
from finops.errors import AwsRejected
from finops_operator.plugins.action import Action, Target, WatchedAct
from finops_operator.plugins.number_setting import SET_BACK, YES
from finops_operator.services.logs.actions.log_group_set_retention import ACTION as RETENTION
from finops_operator.services.rds.actions.rds_cluster_start import ACTION as START_CLUSTER
from finops_operator.services.rds.actions.rds_cluster_stop import ACTION as STOP_CLUSTER
from finops_operator.services.rds.actions.rds_instance_start import ACTION as START
from finops_operator.services.rds.actions.rds_instance_stop import ACTION as STOP
from finops_operator.services.s3.actions.s3_bucket_set_lifecycle import ACTION as LIFECYCLE
from finops_operator.services.s3.rules.lifecycle import with_rule

_SINCE: Final = datetime(2026, 3, 1, 12, tzinfo=UTC)
_RESOURCE: Final = ResourceRef("kind", "shop", "arn:aws:x:us-east-1:111111111111:shop", "111111111111", "us-east-1")
_SAME: Final = {"resourceId": "db-1"}


def act(parameters: Mapping[str, Any] | None = None, hours: int = 24, **before: str) -> WatchedAct:
    return WatchedAct(
        resource=_RESOURCE,
        parameters=parameters or {},
        promised={},
        started=_SINCE - timedelta(minutes=5),
        since=_SINCE,
        until=_SINCE + timedelta(hours=168),
        now=_SINCE + timedelta(hours=hours),
        before={**_SAME, **before},
    )


def database(state: str, identity: str = "db-1") -> CannedReader:
    found = {"DBInstanceIdentifier": "shop", "DBInstanceStatus": state, "DbiResourceId": identity}
    return CannedReader({"rds:DescribeDBInstances": {"DBInstances": [found]}})


def cluster(state: str, *members: str) -> CannedReader:
    listed = [
        {"DBInstanceIdentifier": f"shop-{place}", "DBClusterIdentifier": "shop", "DBInstanceStatus": one}
        for place, one in enumerate(members)
    ]
    found = {"DBClusterIdentifier": "shop", "Status": state, "DbClusterResourceId": "db-1"}
    return CannedReader(
        {"rds:DescribeDBClusters": {"DBClusters": [found]}, "rds:DescribeDBInstances": {"DBInstances": listed}}
    )


def group(days: int | None, created: int = 1) -> CannedReader:
    found = {"logGroupName": "shop", "creationTime": created, **({} if days is None else {"retentionInDays": days})}
    return CannedReader({"logs:DescribeLogGroups": {"logGroups": [found]}})


def bucket(*rules: Mapping[str, Any]) -> CannedReader:
    return CannedReader({"s3:GetBucketLifecycleConfiguration": {"Rules": [*rules]}})


def signs(action: Action, watched: WatchedAct, reader: CannedReader) -> tuple[Sign, ...]:
    assert action.watch is not None
    return action.watch.signs(reader, watched)


_OURS: Final = with_rule([], 7)
_OTHERS: Final = {"ID": "archive", "Filter": {"Prefix": "logs/"}, "Status": "Enabled", "Expiration": {"Days": 30}}
_BACK: Final = {"endState": "available"}
_RULE: Final = {"abortUploadsAfterDays": 7}
_SET_BACK: Final = {SET_BACK: YES}


@pytest.mark.parametrize(
    ("action", "watched", "reader", "expected", "words"),
    [
        (STOP, act(), database("stopped"), Health.WELL, "AWS starts it again by 2026-03-08"),
        (STOP, act(), database("stopping"), Health.UNKNOWN, "The database is stopping."),
        (STOP, act(), database("available"), Health.UNKNOWN, "somebody has started it since"),
        (STOP, act(), database("starting"), Health.UNKNOWN, "somebody has started it since"),
        (STOP, act(hours=168), database("available"), Health.UNKNOWN, "AWS starts what has been stopped for 7 days"),
        (STOP, act(), database("stopped", "db-2"), Health.UNKNOWN, "made another one under its name"),
        (STOP, act(state="available"), database("storage-full"), Health.WORSE, "It is storage-full."),
        (STOP, act(state="storage-full"), database("storage-full"), Health.UNKNOWN, "It was so before the act."),
        (STOP, act(), database("storage-full"), Health.UNKNOWN, "How it was before the act is not known."),
        (STOP, act(_BACK, state="stopped"), database("available"), Health.WELL, "It is available."),
        (STOP, act(_BACK, state="stopped"), database("failed"), Health.WORSE, "It is failed."),
        (START, act(state="stopped"), database("available"), Health.WELL, "It is available."),
        (START, act(state="stopped"), database("backing-up"), Health.WELL, "It is backing-up."),
        (START, act(state="stopped"), database("incompatible-network"), Health.WORSE, "incompatible-network"),
        (START, act(state="stopped"), database("stopped"), Health.UNKNOWN, "somebody has stopped it since"),
        (START, act(state="stopped"), database("of next year"), Health.UNKNOWN, "It is of next year."),
        (STOP_CLUSTER, act(), cluster("stopped", "stopped"), Health.WELL, "It is stopped."),
        (STOP_CLUSTER, act(), cluster("available", "available"), Health.UNKNOWN, "somebody has started it"),
        (START_CLUSTER, act(), cluster("available", "available", "backing-up"), Health.WELL, "It is available."),
        (START_CLUSTER, act(), cluster("available", "available", "starting"), Health.UNKNOWN, "1 of its 2 members"),
        (
            START_CLUSTER,
            act(state="stopped"),
            cluster("available", "available", "storage-full"),
            Health.WORSE,
            "Member shop-1 is storage-full.",
        ),
        (RETENTION, act({"retentionInDays": 90}), group(90), Health.WELL, "keeps its events for 90 days"),
        (RETENTION, act({"retentionInDays": 90}), group(None), Health.UNKNOWN, "for ever now, not for 90 days"),
        (RETENTION, act({"retentionInDays": 90}), group(30), Health.UNKNOWN, "for 30 days now"),
        (RETENTION, act({"retentionInDays": 90}, createdAt="2"), group(90), Health.UNKNOWN, "made another one"),
        (RETENTION, act({"retentionInDays": 0, **_SET_BACK}), group(None), Health.WELL, "for ever"),
        (LIFECYCLE, act(_RULE), bucket(_OTHERS, *_OURS), Health.WELL, "2 rules; unfinished uploads end after 7 days"),
        (LIFECYCLE, act(_RULE), bucket(_OTHERS), Health.UNKNOWN, "unfinished uploads is gone"),
        (LIFECYCLE, act(_RULE), bucket(*with_rule([], 30)), Health.UNKNOWN, "Somebody has changed its rule"),
        (LIFECYCLE, act(_RULE), bucket({**_OURS[0], "Status": "Disabled"}), Health.UNKNOWN, "Somebody has changed"),
        (LIFECYCLE, act({**_RULE, **_SET_BACK}), bucket(_OTHERS), Health.WELL, "1 rule; unfinished uploads are kept"),
        (LIFECYCLE, act({**_RULE, **_SET_BACK}), bucket(*_OURS), Health.UNKNOWN, "under our name again"),
    ],
)
def test_what_is_not_as_the_act_left_it_is_said(
    action: Action, watched: WatchedAct, reader: CannedReader, expected: Health, words: str
) -> None:
    found = signs(action, watched, reader)
    assert verdict(found) is expected, found
    assert any(words in sign.sentence for sign in found if sign.health is expected), found


@pytest.mark.parametrize(
    ("action", "reader", "kept"),
    [
        (STOP, database("available"), {"state": "available", "resourceId": "db-1"}),
        (START, database("storage-full"), {"state": "storage-full", "resourceId": "db-1"}),
        (START_CLUSTER, cluster("available", "failed"), {"state": "failed", "resourceId": "db-1"}),
        (RETENTION, group(90), {"createdAt": "1"}),
    ],
)
def test_what_it_was_before_the_act_is_kept(action: Action, reader: CannedReader, kept: dict[str, str]) -> None:
    assert action.watch is not None
    assert action.watch.before(action.observe(reader, Target(_RESOURCE, {}, full=False))) == kept


@pytest.mark.parametrize(
    ("action", "reader"),
    [
        (STOP, CannedReader({"rds:DescribeDBInstances": AwsRejected("no", operation="x", code="DBInstanceNotFound")})),
        (RETENTION, CannedReader()),
        (
            LIFECYCLE,
            CannedReader({"s3:GetBucketLifecycleConfiguration": AwsRejected("no", operation="x", code="NoSuchBucket")}),
        ),
    ],
)
def test_what_is_gone_is_not_known_to_do_well(action: Action, reader: CannedReader) -> None:
    (sign,) = signs(action, act({"retentionInDays": 90, **_RULE}), reader)
    assert (sign.health, sign.sentence.endswith("is gone: nothing shows how it does.")) == (Health.UNKNOWN, True)


@pytest.mark.parametrize("action", [STOP, START, STOP_CLUSTER, START_CLUSTER, RETENTION, LIFECYCLE])
def test_the_alarm_that_the_policy_names_is_read_with_the_right_that_is_declared(action: Action) -> None:
    assert "cloudwatch:DescribeAlarms" in action.read_permissions
    alarm = {"AlarmName": "shop", "StateValue": "ALARM", "StateTransitionedTimestamp": _SINCE.isoformat()}
    rang = {"MetricAlarms": [alarm]}
    reader = {
        STOP.id: database("stopped"),
        START.id: database("available"),
        STOP_CLUSTER.id: cluster("stopped"),
        START_CLUSTER.id: cluster("available"),
        RETENTION.id: group(90),
        LIFECYCLE.id: bucket(*_OURS),
    }[action.id]
    reader.answers = {**reader.answers, "cloudwatch:DescribeAlarms": rang}
    watched = replace(act({"retentionInDays": 90, **_RULE}), alarm="shop")
    assert verdict(signs(action, watched, reader)) is Health.WORSE
