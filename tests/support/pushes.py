"""A client of the classic API as somebody wrote it who knows its paths and field names and nothing of this product."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from fastapi.testclient import TestClient

ISOLATED: Final = "444455556666"
SHEET: Final[dict[str, dict[str, Any]]] = {
    "instances": {
        "instance_id": "i-1",
        "instance_type": "t2.large",
        "platform_details": "Linux/UNIX",
        "region": "us-east-1",
        "state": "running",
        "tags": {"team": "orders"},
    },
    "load-balancers": {
        "load_balancer_name": "web",
        "load_balancer_arn": f"arn:aws:elasticloadbalancing:us-east-1:{ISOLATED}:loadbalancer/app/web/1",
        "load_balancer_type": "application",
        "region": "us-east-1",
        "state": "active",
        "scheme": "internal",
        "vpc_id": "vpc-1",
        "metrics": {"RequestCount": 12.0, "HealthyHostCount": 2},
    },
    "auto-scaling-groups": {
        "asg_name": "web",
        "region": "us-east-1",
        "min_size": 1,
        "max_size": 4,
        "desired_capacity": 1,
        "current_instances": 1,
        "instance_ids": ["i-1"],
        "health_check_type": "EC2",
    },
    "ebs-volumes": {
        "volume_id": "vol-1",
        "volume_type": "gp3",
        "size_gb": 90,
        "region": "us-east-1",
        "state": "in-use",
        "iops": 3000,
        "throughput": 125,
        "encrypted": True,
        "attached_instance_id": "i-1",
    },
    "rds-instances": {
        "db_instance_id": "db-1",
        "engine": "mysql",
        "engine_version": "8.0.40",
        "db_instance_class": "db.m7g.large",
        "region": "us-east-1",
        "status": "available",
        "allocated_storage_gb": 144,
        "storage_type": "gp3",
        "multi_az": False,
    },
}
"""The classic sheet: 66.82, 16.20, nothing of its own, 7.20 and 137.52 a month of 720 hours."""


@dataclass(frozen=True, slots=True)
class ClassicClient:
    """Sends and reads by the classic paths; `address` is what an administrator put behind each of them."""

    http: TestClient
    headers: dict[str, str]
    address: str = f"?namespace=team-a&account={ISOLATED}"

    def post(self, path: str, body: Any) -> Any:
        """Push; returns the whole answer."""
        return self.http.post(f"/api/{path}{self.address}", json=body, headers=self.headers)

    def get(self, path: str) -> Any:
        """Return the data of an answer."""
        answer = self.http.get(f"/api/{path}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        assert answer.json()["success"] is True
        return answer.json()["data"]
