"""One AWS double per module, reset for every test; slow enough that only the clock moves things on."""

from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ClientError

from finops_sandbox.aws.double import AwsDouble, Delays

KEY = "arn:aws:kms:us-east-1:111111111111:key/k1"
ESTATE = {
    "accounts": {
        "111111111111": {
            "name": "production",
            "regions": ["us-east-1", "eu-central-1"],
            "roles": {
                "finops-inner": {
                    "externalId": "",
                    "trusted": ["arn:aws:iam::111111111111:role/finops-open"],
                    "maxDurationSeconds": 7200,
                },
                "finops-open": {
                    "externalId": "",
                    "maxDurationSeconds": 7200,
                    "policies": [
                        {"Statement": [{"Effect": "Allow", "Action": ["ec2:*", "sts:AssumeRole"], "Resource": "*"}]}
                    ],
                },
            },
        },
        "222222222222": {"name": "staging"},
    },
    "resources": [
        {
            "account": "production",
            "region": "us-east-1",
            "instances": [
                {
                    "name": "web",
                    "type": "m5.xlarge",
                    "cpu": "low",
                    "memory": "memory_low",
                    "memoryDimensions": "full",
                    "publicIp": True,
                    "age": "40d",
                    "tags": {"team": "web", "aws:autoscaling:groupName": "web", "text": "<b> & \r\n \u202e"},
                    "volumes": [{"size": 100, "type": "gp2"}, {"size": 500, "type": "gp2"}],
                },
                {"name": "stopped", "type": "m5.large", "state": "stopped", "age": "40d"},
                {"name": "xen", "type": "t2.large", "state": "stopped", "ena": False},
                {"name": "managed", "type": "m5.large", "managedBy": "eks.amazonaws.com"},
                {"name": "kept", "type": "m5.large", "protectStop": True, "protectTermination": True},
                {"name": "old", "type": "m3.medium", "rootDevice": "instance-store"},
                {"name": "spot", "type": "m5.large", "spot": True, "state": "stopped"},
                {"name": "secret", "type": "m5.large", "state": "stopped", "volumes": [{"size": 10, "key": KEY}]},
                {"name": "guarded", "type": "m5.large", "tags": {"finops.dev/protected": "true"}},
                {"name": "young", "type": "t3.large", "cpu": "idle", "network": "quiet", "age": "5h"},
                {"name": "windows", "type": "m5.large", "os": "windows", "tenancy": "dedicated", "cpu": "gap"},
            ],
            "volumes": [
                {"name": "loose", "size": 100, "type": "gp3", "age": "90d", "detached": "45d"},
                {"name": "never", "size": 50, "type": "gp2"},
            ],
            "addresses": [{"name": "free"}, {"name": "used", "instance": "managed"}],
        },
        {
            "account": "staging",
            "region": "us-east-1",
            "instances": [{"name": "app", "count": 12, "type": "t3.small"}],
        },
    ],
}


@pytest.fixture(scope="module")
def running_double() -> Iterator[AwsDouble]:
    with AwsDouble(ESTATE, delays=Delays(60, 60, 60, 60)) as double:
        yield double


@pytest.fixture
def aws(running_double: AwsDouble) -> AwsDouble:
    running_double.control.reset()
    return running_double


@pytest.fixture
def refusal() -> Callable[[Callable[[], object]], str]:
    """Call something that AWS must refuse; answers with the error code."""

    def call(action: Callable[[], object]) -> str:
        with pytest.raises(ClientError) as caught:
            action()
        return str(caught.value.response["Error"]["Code"])

    return call
