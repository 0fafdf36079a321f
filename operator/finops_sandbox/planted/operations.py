"""Planted operations: streams, Kafka, keys, secrets, logs, alarms, search domains, warehouses, serverless caches.

Rules: Trusted Advisor, "Cost optimization" (Redshift clusters without a connection for seven days or below 5 % of CPU);
CloudWatch user guide, "Log group retention" and "Alarms and missing data"; KMS developer guide, "Last usage of keys";
Secrets Manager user guide (each secret is billed by the month, 0.40 USD); Kinesis developer guide, "Retention".
"""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from finops_sandbox.planted.site import Site, ago

_GIB: Final = 2**30


def _stream(
    site: Site, name: str, put: Any, fetched: Any, *, hours: int = 24, behind: float = 1000, days: float = 400
) -> str:
    item = {
        "StreamName": name,
        "StreamARN": site.arn("kinesis", f"stream/{name}"),
        "StreamStatus": "ACTIVE",
        "StreamModeDetails": {"StreamMode": "PROVISIONED"},
        "RetentionPeriodHours": hours,
        "StreamCreationTimestamp": ago(days),
        "EnhancedMonitoring": [],
        "OpenShardCount": 4,
        "ConsumerCount": 0,
    }
    shown = ("StreamName", "StreamARN", "StreamStatus", "StreamModeDetails", "StreamCreationTimestamp")
    site.listed("kinesis:ListStreams", {one: item[one] for one in shown}, member="StreamSummaries")
    site.answered("kinesis:DescribeStreamSummary", {"StreamName": name}, StreamDescriptionSummary=item)
    values = {"IncomingRecords": put, "GetRecords.Records": fetched, "GetRecords.IteratorAgeMilliseconds": behind}
    site.measured("AWS/Kinesis", {"StreamName": name}, int(days), **values)
    return name


def _kafka(site: Site, name: str, rate: Any, kind: str = "kafka.m7g.large", clients: int = 0) -> str:
    arn = site.arn("kafka", f"cluster/{name}/aaaa-1")
    nodes: dict[str, Any] = {"InstanceType": kind, "ClientSubnets": ["subnet-a", "subnet-b", "subnet-c"]}
    nodes["StorageInfo"] = {"EbsStorageInfo": {"VolumeSize": 100}}
    item = {
        "ClusterName": name,
        "ClusterArn": arn,
        "ClusterType": "PROVISIONED",
        "State": "ACTIVE",
        "CreationTime": ago(400),
        "CurrentVersion": "K1",
        "Provisioned": {"NumberOfBrokerNodes": 3, "BrokerNodeGroupInfo": nodes},
        "Tags": {},
    }
    site.listed("kafka:ListClustersV2", item)
    for broker in "123":
        dimensions = {"Cluster Name": name, "Broker ID": broker}
        site.measured("AWS/Kafka", dimensions, 400, BytesInPerSec=rate, BytesOutPerSec=rate)
        site.measured("AWS/Kafka", {**dimensions, "Client Authentication": "IAM"}, 400, ClientConnectionCount=clients)
    return arn.partition("cluster/")[2]


def streams(site: Site) -> None:
    """Kinesis and Kafka."""
    stream = partial(_stream, site)
    kafka = partial(_kafka, site)

    site.wasted(stream("stream-silent", 0, 0), "nothing put, nothing fetched", kinesis_stream_idle=None)
    site.kept(stream("stream-rare", "seldom", "seldom"), "a record a week")
    site.kept(stream("stream-young", 0, 0, days=6), "six days old")
    site.wasted(stream("stream-unread", 90, 0), "records that nobody fetches", kinesis_stream_unread=None)
    long = stream("stream-week", 90, 90, hours=168)
    site.wasted(long, "kept for a week, readers a second behind", kinesis_stream_retention=None)
    late = stream("stream-week-needed", 90, 90, hours=168, behind=80_000_000)
    site.kept(late, "readers are 22 hours behind")
    site.kept(stream("stream-day", 90, 90), "in use, with the day that is included")

    site.wasted(kafka("msk-silent", 0), "not a byte in fourteen days", msk_cluster_idle=None)
    site.kept(kafka("msk-busy", 90_000), "in use")
    site.kept(kafka("msk-waiting", 0, clients=2), "clients that wait for messages are connected")
    site.wasted(kafka("msk-x86", 90_000, "kafka.m5.large"), "x86, where Graviton costs less", msk_cluster_graviton=None)


def keys(site: Site) -> None:
    """KMS keys and secrets."""

    def key(number: int, used: float | None, *, state: str = "Enabled", days: float = 400, by: str = "CUSTOMER") -> str:
        name = f"{number:08d}-aaaa-4bbb-8ccc-000000000000"
        arn = site.arn("kms", f"key/{name}")
        site.listed("kms:ListKeys", {"KeyId": name, "KeyArn": arn})
        item = {
            "KeyId": name,
            "Arn": arn,
            "AWSAccountId": site.account,
            "CreationDate": ago(days),
            "Enabled": state == "Enabled",
            "KeyState": state,
            "KeyManager": by,
            "KeyUsage": "ENCRYPT_DECRYPT",
            "Origin": "AWS_KMS",
            "KeySpec": "SYMMETRIC_DEFAULT",
            "MultiRegion": False,
            "Description": "",
        }
        site.answered("kms:DescribeKey", {"KeyId": name}, KeyMetadata=item)
        last: dict[str, Any] = {"KeyId": name, "TrackingStartDate": ago(395), "KeyCreationDate": ago(days)}
        if used is not None:
            last["KeyLastUsage"] = {"Operation": "Decrypt", "Timestamp": ago(used)}
        site.answered("kms:GetKeyLastUsage", {"KeyId": name}, **last)
        return name

    site.wasted(key(1, 200), "last used 200 days ago", kms_key_unused=None)
    site.kept(key(2, 5), "used five days ago")
    site.kept(key(3, None, days=20), "made twenty days ago")
    site.wasted(key(4, 200, state="Disabled"), "disabled, and billed all the same", kms_key_disabled=None)
    site.kept(key(5, 20, state="Disabled"), "disabled since three weeks at most")
    managed = key(6, 300, by="AWS")
    site.kept(managed, "AWS's own key costs nothing")
    site.kept(key(7, 300, state="PendingDeletion"), "about to be deleted, no longer billed")

    def secret(name: str, read: float | None, days: float = 400, **facts: Any) -> str:
        arn = site.arn("secretsmanager", f"secret:{name}-AbCdEf")
        accessed = {} if read is None else {"LastAccessedDate": ago(read)}
        item = {"ARN": arn, "Name": name, "CreatedDate": ago(days), "LastChangedDate": ago(days), "Tags": []}
        site.listed("secretsmanager:ListSecrets", {**item, **accessed, **facts})
        return f"{name}-AbCdEf"

    site.wasted(secret("sec-unread", 200), "not read in 200 days", secretsmanager_secret_unused="0.40")
    site.wasted(secret("sec-never", None), "made 400 days ago, never read", secretsmanager_secret_never_used="0.40")
    site.kept(secret("sec-read", 10), "read ten days ago")
    site.kept(secret("sec-80-days", 80), "read 80 days ago")
    site.kept(secret("sec-new", None, days=30), "made a month ago")
    site.kept(secret("sec-owned", 200, OwningService="rds"), "a database's own, which RDS keeps")


def _group(site: Site, name: str, gib: float, arriving: Any, *, days: int | None = 30, **facts: Any) -> str:
    item = {
        "logGroupName": name,
        "creationTime": int(ago(400).timestamp() * 1000),
        "metricFilterCount": 0,
        "arn": site.arn("logs", f"log-group:{name}:*"),
        "logGroupArn": site.arn("logs", f"log-group:{name}"),
        "storedBytes": int(gib * _GIB),
        "logGroupClass": "STANDARD",
        **({} if days is None else {"retentionInDays": days}),
    }
    site.listed("logs:DescribeLogGroups", {**item, **facts})
    if arriving is not None:
        values = {"IncomingBytes": arriving, "IncomingLogEvents": arriving}
        site.measured("AWS/Logs", {"LogGroupName": name}, 400, **values)
    return name


def _alarm(site: Site, name: str, state: str, days: float, metric: tuple[str, str, str], period: int = 300) -> str:
    namespace, dimension, value = metric
    item = {
        "AlarmName": name,
        "AlarmArn": site.arn("cloudwatch", f"alarm:{name}"),
        "ActionsEnabled": True,
        "AlarmActions": [site.arn("sns", "people")],
        "StateValue": state,
        "StateUpdatedTimestamp": ago(days),
        "StateTransitionedTimestamp": ago(days),
        "AlarmConfigurationUpdatedTimestamp": ago(400),
        "MetricName": "CPUUtilization",
        "Namespace": namespace,
        "Statistic": "Average",
        "Dimensions": [{"Name": dimension, "Value": value}],
        "Period": period,
        "EvaluationPeriods": 3,
        "Threshold": 90.0,
        "ComparisonOperator": "GreaterThanThreshold",
    }
    site.listed("cloudwatch:DescribeAlarms", item, member="MetricAlarms", by={"AlarmNames": "AlarmName"})
    return name


def logs(site: Site) -> None:
    """Log groups and alarms."""
    group = partial(_group, site)
    alarm = partial(_alarm, site)

    # 400 GiB at 0.03 USD are what is stored; how much of it ends is not known before the retention is chosen.
    site.wasted(group("/app/for-ever", 400, 20_000, days=None), "kept for ever", log_group_no_retention=None)
    site.kept(group("/app/ended", 400, 20_000), "kept for 30 days")
    site.kept(group("/app/tiny", 0.01, 20, days=None), "next to nothing is kept for ever")
    idle = group("/app/silent", 50, "never", days=None)
    site.wasted(idle, "nothing arrived in 90 days", log_group_idle="1.50", log_group_no_retention=None)
    site.kept(group("/app/ten-years", 50, None, days=3653), "somebody chose ten years: an archive")
    site.kept(group("/app/rare", 50, "seldom_published", days=3653), "a line a week")

    # 3 MB a minute are 130 GB in 30 days, at 0.50 USD a GB or half of it.
    heavy = group("/app/heavy", 100, 3_000_000)
    site.wasted(heavy, "nothing but Insights reads it", log_group_infrequent_access=None)
    site.kept(group("/app/filtered", 100, 3_000_000, metricFilterCount=2), "metric filters need the class it has")

    custom = ("Shop/Orders", "Queue", "q")
    site.wasted(
        alarm("al-silent", "INSUFFICIENT_DATA", 60, custom), "no data for 60 days", cloudwatch_alarm_no_data=None
    )
    site.kept(alarm("al-lately", "INSUFFICIENT_DATA", 6, custom), "no data for six days")
    site.kept(alarm("al-ok", "OK", 300, custom), "in use")
    gone = ("AWS/EC2", "InstanceId", "i-0dead000000000000")
    site.wasted(
        alarm("al-orphan", "INSUFFICIENT_DATA", 60, gone), "its instance is gone", cloudwatch_alarm_orphaned=None
    )
    there = ("AWS/EC2", "InstanceId", site.made("instance", "ec2-busy"))
    site.kept(alarm("al-of-instance", "OK", 60, there), "its instance runs")


def custom_metrics(site: Site) -> None:
    """Metrics of people's own programs: each combination of dimensions is one, at 0.30 USD a month."""
    for number in range(1_005):
        site.measured("Shop/Requests", {"Service": "web", "RequestId": f"r-{number:05}"}, 90, Latency=90)
    # 1,005 series are one without the request.
    site.wasted("Shop/Requests", "a metric for each request", cloudwatch_namespace_cardinality=None)
    for number in range(30):
        values = {"Orders": 90, "Errors": 0, "Latency": 40}
        site.measured("Shop/Hosts", {"Host": f"h-{number}"}, 90, **values)
    site.kept("Shop/Hosts", "three metrics of each of thirty hosts")


def search(site: Site) -> None:
    """OpenSearch domains."""

    def domain(name: str, rate: Any, kind: str = "m6g.large.search", volume: str = "gp3") -> str:
        site.listed(
            "opensearch:ListDomainNames", {"DomainName": name, "EngineType": "OpenSearch"}, member="DomainNames"
        )
        item = {
            "DomainId": f"{site.account}/{name}",
            "DomainName": name,
            "ARN": site.arn("es", f"domain/{name}"),
            "Created": True,
            "Deleted": False,
            "Processing": False,
            "EngineVersion": "OpenSearch_2.19",
            "ClusterConfig": {"InstanceType": kind, "InstanceCount": 2, "DedicatedMasterEnabled": False},
            "EBSOptions": {"EBSEnabled": True, "VolumeType": volume, "VolumeSize": 100},
        }
        site.listed("opensearch:DescribeDomains", item, member="DomainStatusList", by={"DomainNames": "DomainName"})
        levels = {"CPUUtilization": 40, "JVMMemoryPressure": 55, "FreeStorageSpace": 30_000}
        dimensions = {"ClientId": site.account, "DomainName": name}
        site.measured("AWS/ES", dimensions, 400, SearchRate=rate, IndexingRate=rate, **levels)
        return name

    # Two nodes at 0.128 USD an hour, and disks of which no price is known: so is the sum.
    site.wasted(domain("search-silent", 0), "neither searched nor indexed", opensearch_domain_idle=None)
    site.kept(domain("search-busy", 200), "in use")
    site.kept(domain("search-rare", "seldom"), "a search a week")
    site.wasted(domain("search-gp2", 200, volume="gp2"), "gp2, where gp3 costs less", opensearch_domain_gp2=None)
    old = domain("search-m4", 200, "m4.large.search")
    site.wasted(old, "m4 is a previous generation", opensearch_domain_previous_generation=None)
    x86 = domain("search-x86", 200, "m5.large.search")
    site.wasted(x86, "x86, where Graviton costs less", opensearch_domain_graviton=None)


def warehouses(site: Site) -> None:
    """Redshift clusters and serverless caches."""

    def warehouse(name: str, connections: Any, cpu: Any, kind: str = "ra3.xlplus", days: float = 400) -> str:
        item = {
            "ClusterIdentifier": name,
            "NodeType": kind,
            "ClusterStatus": "available",
            "ClusterAvailabilityStatus": "Available",
            "NumberOfNodes": 2,
            "DBName": "dev",
            "ClusterCreateTime": ago(days),
            "AvailabilityZone": f"{site.region}a",
            "ClusterNamespaceArn": site.arn("redshift", f"namespace:{name}"),
            "Tags": [],
        }
        site.listed("redshift:DescribeClusters", item)
        values = {"DatabaseConnections": connections, "CPUUtilization": cpu, "PercentageDiskSpaceUsed": 50}
        site.measured("AWS/Redshift", {"ClusterIdentifier": name}, int(days), **values)
        return name

    site.wasted(warehouse("dw-silent", 0, 2), "no connection in seven days", redshift_cluster_idle=None)
    site.wasted(warehouse("dw-underused", 4, 2), "2 % of CPU", redshift_cluster_underused=None)
    site.kept(warehouse("dw-busy", 4, 50), "in use")
    site.kept(warehouse("dw-nightly", 4, "nightly_peak"), "loads at night")
    site.kept(warehouse("dw-young", 0, 2, days=3), "three days old")
    old = warehouse("dw-dc2", 4, 50, "dc2.large")
    site.wasted(old, "AWS recommends RA3 instead", redshift_cluster_previous_generation=None)

    def cache(name: str, units: Any, days: float = 400) -> str:
        item = {
            "ServerlessCacheName": name,
            "ARN": site.arn("elasticache", f"serverlesscache:{name}"),
            "CreateTime": ago(days),
            "Status": "available",
            "Engine": "valkey",
            "FullEngineVersion": "8.0",
        }
        site.listed("elasticache:DescribeServerlessCaches", item)
        values = {"ElastiCacheProcessingUnits": units, "BytesUsedForCache": _GIB}
        site.measured("AWS/ElastiCache", {"clusterId": name}, int(days), **values)
        return name

    site.wasted(cache("less-silent", 0), "no request in fourteen days", elasticache_serverless_cache_idle=None)
    site.kept(cache("less-rare", "seldom"), "a request a week")
    site.kept(cache("less-busy", 500), "in use")
    site.kept(cache("less-young", 0, days=4), "four days old")
