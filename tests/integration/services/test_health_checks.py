"""Route 53 health checks on moto's servers: a scan lists them once, with what refers to them."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.services.conftest import MAKER
from tests.support.scanning import report_of

from finops_operator.scan.scan import ScanOutcome
from finops_sandbox.aws.double import AwsDouble

Scan = Callable[..., ScanOutcome]


def test_health_checks_are_listed_with_the_records_and_checks_that_refer_to_them(aws: AwsDouble, scanned: Scan) -> None:
    route53 = aws.client("route53", role=MAKER)

    def made(reference: str, **config: object) -> str:
        answer = route53.create_health_check(CallerReference=reference, HealthCheckConfig=config)
        return str(answer["HealthCheck"]["Id"])

    endpoint = {"Type": "HTTP", "IPAddress": "192.0.2.1", "Port": 80, "ResourcePath": "/"}
    named, lonely = made("1", **endpoint), made("2", **endpoint)
    child = made("3", **endpoint, Disabled=True)
    parent = made("4", Type="CALCULATED", HealthThreshold=1, ChildHealthChecks=[child])
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="zone")["HostedZone"]["Id"]
    record = {
        "Name": "www.example.com",
        "Type": "A",
        "TTL": 60,
        "SetIdentifier": "1",
        "Weight": 1,
        "HealthCheckId": named,
        "ResourceRecords": [{"Value": "192.0.2.1"}],
    }
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=change)
    outcome = scanned("route53-health-check")
    assert outcome.summary.gaps == ()
    found = {one["id"]: one["attributes"] for one in report_of(outcome)["resources"]}
    assert {name: (own["records"], own["parents"]) for name, own in found.items()} == {
        named: (1, 0),
        lonely: (0, 0),
        child: (0, 1),
        parent: (0, 0),
    }
