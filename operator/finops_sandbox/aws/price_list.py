"""AWS's price list, which moto does not have: the offers below, asked by fields and words.

The offers are the double's own: their fields and words are those of AWS's offer files, their amounts and numbers are
made up. Source of the form and its limits: Price List API reference, GetProducts and Filter. The double is stricter: a
field that no offer has is refused, where AWS answers with nothing; only words that match as a whole are understood; and
a token goes on with the very request that it was given for.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

from finops_sandbox.aws.calls import Call
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.wire import Answer

_JSON = (("content-type", "application/x-amz-json-1.1"),)
_LARGEST_PAGE = 100
_MOST_FILTERS = 50
_LONGEST_WORD = 1024
_PARAMETERS = frozenset({"ServiceCode", "Filters", "FormatVersion", "MaxResults", "NextToken"})
_ENDPOINTS = frozenset({"us-east-1", "eu-central-1", "ap-south-1"})
_SINCE = "2025-11-01T00:00:00Z"
_KINESIS = {"servicecode": "AmazonKinesis", "locationType": "AWS Region"}
_VPC = {"servicecode": "AmazonVPC", "locationType": "AWS Region"}
_SHARDS = {**_KINESIS, "group": "Provisioned shard hour", "operation": "shardHourStorage"}
_GATEWAYS = {**_VPC, "group": "AWSTransitGateway", "operation": "TransitGatewayVPC", "attachmentType": "VPC"}
_TO_VPN = {**_GATEWAYS, "operation": "TransitGatewayVPN", "attachmentType": "VPN"}
_IMAGES = {"servicecode": "AmazonECR", "locationType": "AWS Region"}
_BROKERS = {"servicecode": "AmazonMSK", "locationType": "AWS Region", "operation": "RunVolume", "group": "Storage"}
_DOMAINS = {"servicecode": "AmazonES", "locationType": "AWS Region", "operation": "ESDomain"}
_STORED = {"servicecode": "AmazonS3", "locationType": "AWS Region", "operation": ""}
_WAITING = {"servicecode": "AWSLambda", "locationType": "AWS Region", "operation": ""}
_BALANCED = {"servicecode": "AWSELB", "locationType": "AWS Region", "operation": "LoadBalancing"}
_ARM = {**_WAITING, "group": "AWS-Lambda-Provisioned-Concurrency-ARM"}
_X86 = {**_WAITING, "group": "AWS-Lambda-Provisioned-Concurrency"}
_DURATION = {**_WAITING, "group": "AWS-Lambda-Duration"}
_DURATION_ARM = {**_WAITING, "group": "AWS-Lambda-Duration-ARM"}
_DATABASES = {"servicecode": "AmazonRDS", "locationType": "AWS Region", "operation": "CreateDBInstance"}
_LEARNING = {"servicecode": "AmazonSageMaker", "locationType": "AWS Region", "operation": "RunInstance"}
_LEARNING_DISKS = {**_LEARNING, "component": "Notebook", "instanceName": ""}
_CACHES = {"servicecode": "AmazonElastiCache", "locationType": "AWS Region", "operation": "CreateServerlessCache:0001"}
_VALKEY = {**_CACHES, "cacheEngine": "Valkey"}
_KAFKA = "Managed Streaming for Apache Kafka (MSK)"
_DISKS = "Amazon OpenSearch Service Volume"


def _offer(
    sku: str, family: str, attributes: Mapping[str, str], usage: str, price: tuple[str, str], region: str = "us-east-1"
) -> dict[str, Any]:
    """One product with one on-demand term; `price` is (unit, US dollars)."""
    code, (unit, amount) = f"{sku}.JRTCKXETXF", price
    step = {"rateCode": f"{code}.6YS6EN2CT7", "unit": unit, "beginRange": "0", "endRange": "Inf", "appliesTo": []}
    term = {
        "sku": sku,
        "offerTermCode": "JRTCKXETXF",
        "effectiveDate": _SINCE,
        "termAttributes": {},
        "priceDimensions": {f"{code}.6YS6EN2CT7": {**step, "pricePerUnit": {"USD": amount}}},
    }
    fields = {**attributes, "regionCode": region, "usagetype": usage}
    return {
        "product": {"sku": sku, "productFamily": family, "attributes": fields},
        "serviceCode": attributes["servicecode"],
        "terms": {"OnDemand": {code: term}},
        "version": "20251101000000",
        "publicationDate": _SINCE,
    }


def _stepped(offer: dict[str, Any], *further: tuple[str, str]) -> dict[str, Any]:
    """Return the product with further steps of its price: (first unit, US dollars)."""
    (term,) = offer["terms"]["OnDemand"].values()
    ((name, first),) = term["priceDimensions"].items()
    ends = (*(begin for begin, _ in further), "Inf")
    steps = ((first["beginRange"], first["pricePerUnit"]["USD"]), *further)
    term["priceDimensions"] = {
        f"{name}{number}": {**first, "beginRange": begin, "endRange": end, "pricePerUnit": {"USD": amount}}
        for number, ((begin, amount), end) in enumerate(zip(steps, ends, strict=True))
    }
    return offer


PRODUCTS = (
    _stepped(
        _offer("SANDBOXDURATION", "Serverless", _DURATION, "Lambda-GB-Second", ("Lambda-GB-Second", "0.0000166667")),
        ("6000000000", "0.0000150000"),
        ("15000000000", "0.0000133334"),
    ),
    _stepped(
        _offer(
            "SANDBOXDURATIONARM",
            "Serverless",
            _DURATION_ARM,
            "Lambda-GB-Second-ARM",
            ("Lambda-GB-Second", "0.0000133334"),
        ),
        ("7500000000", "0.0000120001"),
        ("18750000000", "0.0000106667"),
    ),
    _offer("SANDBOXSHARDHOUR", "Kinesis Streams", _SHARDS, "Storage-ShardHour", ("ShardHour", "0.0150000000")),
    _offer("SANDBOXSHARDLONG", "Kinesis Streams", _SHARDS, "Extended-ShardHour", ("ShardHour", "0.0200000000")),
    _offer(
        "SANDBOXSTREAMHOUR",
        "Kinesis Streams",
        {**_KINESIS, "group": "On-demand stream hour", "operation": "OnDemandStreamHr"},
        "OnDemand-StreamHour",
        ("StreamHr", "0.0400000000"),
    ),
    _offer(
        "SANDBOXVPNHOUR",
        "Cloud Connectivity",
        {**_VPC, "operation": "CreateVpnConnection"},
        "VPN-Usage-Hours:ipsec.1",
        ("Hrs", "0.0500000000"),
    ),
    _offer("SANDBOXTGWHOUR", "Cloud Connectivity", _GATEWAYS, "USE1-TransitGateway-Hours", ("hour", "0.0500000000")),
    _offer("SANDBOXTGWDATA", "Cloud Connectivity", _GATEWAYS, "USE1-TransitGateway-Bytes", ("GigaBytes", "0.02")),
    _offer("SANDBOXTGWVPNHOUR", "Cloud Connectivity", _TO_VPN, "USE1-TransitGateway-Hours", ("hour", "0.0500000000")),
    _offer("SANDBOXTGWVPNDATA", "Cloud Connectivity", _TO_VPN, "USE1-TransitGateway-Bytes", ("GigaBytes", "0.02")),
    _offer(
        "SANDBOXHOSTML",
        "ML Instance",
        {**_LEARNING, "component": "Hosting", "instanceName": "ml.m5.large"},
        "USE1-Host:ml.m5.large",
        ("Hrs", "0.1150000000"),
    ),
    _offer(
        "SANDBOXASYNCML",
        "ML Instance",
        {**_LEARNING, "instanceName": "ml.m5.large"},
        "USE1-AsyncInf:ml.m5.large",
        ("Hrs", "0.1150000000"),
    ),
    _offer(
        "SANDBOXNOTEBKML",
        "ML Instance",
        {**_LEARNING, "component": "Notebook", "instanceName": "ml.m5.large"},
        "USE1-Notebk:ml.m5.large",
        ("Hrs", "0.1150000000"),
    ),
    _offer(
        "SANDBOXNOTEBKMLT3",
        "ML Instance",
        {**_LEARNING, "component": "Notebook", "instanceName": "ml.t3.medium"},
        "USE1-Notebk:ml.t3.medium",
        ("Hrs", "0.0500000000"),
    ),
    _offer("SANDBOXNOTEBKDISK", "Storage", _LEARNING_DISKS, "USE1-Notebk:VolumeUsage.gp2", ("GB-Mo", "0.1400000000")),
    _offer("SANDBOXCACHED", "ElastiCache Serverless", _VALKEY, "USE1-CachedData:Valkey", ("GB-Hours", "0.0840000000")),
    _offer(
        "SANDBOXECPU",
        "ElastiCache Serverless",
        _VALKEY,
        "USE1-ElastiCacheProcessingUnits:Valkey",
        ("ElastiCacheProcessingUnit", "0.0000000023"),
    ),
    *(
        _offer(
            f"SANDBOXACU{sku}",
            "ServerlessV2",
            {**_DATABASES, "databaseEngine": f"Aurora {engine}"},
            f"USE1-Aurora:{usage}",
            ("ACU-Hr", price),
        )
        for sku, engine, usage, price in (
            ("PG", "PostgreSQL", "ServerlessV2Usage", "0.1200000000"),
            ("MY", "MySQL", "ServerlessV2Usage", "0.1200000000"),
            ("PGIO", "PostgreSQL", "ServerlessV2IOOptimizedUsage", "0.1560000000"),
            ("MYIO", "MySQL", "ServerlessV2IOOptimizedUsage", "0.1560000000"),
        )
    ),
    _offer(
        "SANDBOXRDSBACKUP",
        "Storage Snapshot",
        {**_DATABASES, "operation": "", "databaseEngine": "Any", "storageMedia": "Amazon S3"},
        "RDS:ChargedBackupUsage",
        ("GB-Mo", "0.0950000000"),
    ),
    _offer(
        "SANDBOXCACHEBACKUP",
        "Storage Snapshot",
        {**_CACHES, "operation": "", "cacheEngine": "", "storageMedia": "Amazon S3"},
        "ElastiCache:BackupUsage",
        ("GB-Mo", "0.0850000000"),
    ),
    _offer("SANDBOXIMAGES", "EC2 Container Registry", _IMAGES, "TimedStorage-ByteHrs", ("GB-Mo", "0.1000000000")),
    _offer("SANDBOXKAFKADISK", _KAFKA, _BROKERS, "USE1-Kafka.Storage.GP2", ("GB-Mo", "0.1000000000")),
    _offer("SANDBOXRRS", "Storage", _STORED, "TimedStorage-RRS-ByteHrs", ("GB-Mo", "0.0240000000")),
    _stepped(
        _offer("SANDBOXINTFA", "Storage", _STORED, "TimedStorage-INT-FA-ByteHrs", ("GB-Mo", "0.0230000000")),
        ("51200", "0.0220000000"),
        ("512000", "0.0210000000"),
    ),
    _offer("SANDBOXINTAA", "Storage", _STORED, "TimedStorage-INT-AA-ByteHrs", ("GB-Mo", "0.0036000000")),
    _offer("SANDBOXINTDAA", "Storage", _STORED, "TimedStorage-INT-DAA-ByteHrs", ("GB-Mo", "0.0009900000")),
    _offer(
        "SANDBOXWAITING", "Serverless", _X86, "Lambda-Provisioned-Concurrency", ("Lambda-GB-Second", "0.0000041667")
    ),
    _offer(
        "SANDBOXWAITINGARM",
        "Serverless",
        _ARM,
        "Lambda-Provisioned-Concurrency-ARM",
        ("Lambda-GB-Second", "0.0000033334"),
    ),
    _offer("SANDBOXCLASSIC", "Load Balancer", _BALANCED, "DataProcessing-Bytes", ("GB", "0.0080000000")),
    _offer("SANDBOXESGP2", _DISKS, {**_DOMAINS, "storageMedia": "GP2"}, "ES:GP2-Storage", ("GB-Mo", "0.1350000000")),
    _offer("SANDBOXESIOPS", _DISKS, {**_DOMAINS, "storageMedia": "GP3-PIOPS"}, "ES:GP3-PIOPS", ("IOPS-Mo", "0.0080")),
    _offer(
        "SANDBOXESMBPS",
        _DISKS,
        {**_DOMAINS, "storageMedia": "GP3-ThroughPut-Storage"},
        "ES:GP3-Provisioned-ThroughPut",
        ("MiBps-Mo", "0.0640"),
    ),
    _offer("SANDBOXESGP3", _DISKS, {**_DOMAINS, "storageMedia": "GP3"}, "ES:GP3-Storage", ("GB-Mo", "0.1220000000")),
)
_CODES = frozenset(offer["serviceCode"] for offer in PRODUCTS)
_FIELDS = frozenset({name for offer in PRODUCTS for name in offer["product"]["attributes"]} | {"productFamily"})


def _get(call: Call) -> Answer:
    asked = call.parameters
    if call.region not in _ENDPOINTS:
        raise AwsError("UnrecognizedClientException", "The price list has no endpoint in this region.", 400)
    size = _checked(asked)
    found = [offer for offer in PRODUCTS if offer["serviceCode"] == asked["ServiceCode"] and _matches(offer, asked)]
    mark = _mark(asked)
    begin = _begin(asked.get("NextToken"), mark, len(found))
    page = {"FormatVersion": "aws_v1", "PriceList": [json.dumps(one) for one in found[begin : begin + size]]}
    if begin + size < len(found):
        page["NextToken"] = f"{mark}-{begin + size}"
    return Answer(200, _JSON, json.dumps(page).encode())


def _checked(asked: Mapping[str, Any]) -> int:
    """Return the size of a page, or refuse what the reference does not allow."""
    unknown = sorted(asked.keys() - _PARAMETERS)
    if unknown:
        raise AwsError("InvalidParameterException", f"GetProducts knows no parameter {', '.join(unknown)}.")
    if asked.get("ServiceCode") not in _CODES:
        raise AwsError("InvalidParameterException", f"Service code {asked.get('ServiceCode')!r} is not valid.")
    if asked.get("FormatVersion", "aws_v1") != "aws_v1":
        raise AwsError("InvalidParameterException", "Format version is not valid.")
    size = asked.get("MaxResults", _LARGEST_PAGE)
    if not isinstance(size, int) or not 1 <= size <= _LARGEST_PAGE:
        raise AwsError("InvalidParameterException", "MaxResults must lie between 1 and 100.")
    filters = asked.get("Filters", ())
    if len(filters) > _MOST_FILTERS:
        raise AwsError("InvalidParameterException", f"Filters must be at most {_MOST_FILTERS}.")
    for one in filters:
        word = one.get("Value")
        known = one.keys() == {"Type", "Field", "Value"} and one["Type"] == "TERM_MATCH" and one["Field"] in _FIELDS
        if not known or not isinstance(word, str) or not 1 <= len(word) <= _LONGEST_WORD:
            raise AwsError("InvalidParameterException", f"the AWS double does not filter so: {one}")
    return size


def _matches(offer: Mapping[str, Any], asked: Mapping[str, Any]) -> bool:
    product = offer["product"]
    fields = {**product["attributes"], "productFamily": product["productFamily"]}
    return all(fields.get(one["Field"]) == one["Value"] for one in asked.get("Filters", ()))


def _mark(asked: Mapping[str, Any]) -> str:
    """Return a mark of this request, the same for each of its pages."""
    whole = {name: value for name, value in asked.items() if name != "NextToken"}
    return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()[:16]


def _begin(token: Any, mark: str, count: int) -> int:
    if token is None:
        return 0
    given, _, number = str(token).partition("-")
    if given != mark or not number.isdecimal() or int(number) >= count:
        raise AwsError("InvalidNextTokenException", "The pagination token is invalid.")
    return int(number)


HANDLERS: dict[tuple[str, str], Callable[[Call], Answer]] = {("pricing", "GetProducts"): _get}
