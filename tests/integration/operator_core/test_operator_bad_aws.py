"""An operator that cannot ask AWS says so in one line and in the conditions, and serves on: nothing is a traceback."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
from tests.support.operator_estate import Obj
from tests.support.operator_rig import Rig, eventually, running_rig

KEYLESS = {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}


@pytest.fixture(scope="module")
def rig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with running_rig(tmp_path_factory.mktemp("bad-aws"), start=False) as rig:
        yield rig


def conditions(obj: Obj) -> dict[str, Obj]:
    return {one["type"]: one for one in obj.get("status", {}).get("conditions", [])}


@pytest.mark.parametrize(
    ("variables", "reason", "words", "at_start"),
    [
        ({"AWS_ENDPOINT_URL": "foo"}, "InvalidEndpoint", "aws.endpointUrl", "AWS_ENDPOINT_URL"),
        ({"AWS_PROFILE": "nope"}, "ProfileNotFound", "AWS_PROFILE", "nope"),
        (
            {
                **KEYLESS,
                "AWS_WEB_IDENTITY_TOKEN_FILE": "/nope/token",
                "AWS_ROLE_ARN": "arn:aws:iam::111111111111:role/operator",
            },
            "CredentialsInvalid",
            "cannot read /nope/token",
            "",
        ),
    ],
    ids=["endpoint", "profile", "web-identity"],
)
def test_an_operator_that_cannot_ask_aws_serves_on_and_says_why(
    rig: Rig, variables: Mapping[str, str], reason: str, words: str, at_start: str
) -> None:
    rig.log.unlink(missing_ok=True)
    before = dict(rig.settings)
    rig.settings.update(variables)
    try:
        rig.start()
        case = rig.case()
        case.apply()
        eventually(lambda: case.condition("CredentialsValid").get("status") == "False", what=rig.tail())
        assert case.condition("CredentialsValid")["reason"] == reason
        assert words in case.condition("CredentialsValid")["message"]
        assert case.condition("Ready")["status"] == "False"

        def account() -> Obj:
            (found,) = [
                one for one in rig.k8s.objects("awsaccounts.finops.dev") if one["metadata"]["name"] == "production"
            ]
            return conditions(found).get("CredentialsValid", {})

        eventually(lambda: account().get("reason") == reason, what=f"{account()}\n{rig.tail()}")
        assert account()["status"] == "False"
        assert words in account()["message"]
        assert rig.http("/healthz")[0] == 200
        logged = [line["message"] for line in rig.lines("AWS credentials or endpoint are unusable")]
        assert [at_start in line for line in logged] == ([True] if at_start else [])
        assert "Traceback" not in rig.log.read_text(encoding="utf-8"), rig.log.read_text(encoding="utf-8")[:6000]
        assert rig.stop() == 0
    finally:
        rig.settings.clear()
        rig.settings.update(before)
        if rig.process is not None and rig.process.poll() is None:
            rig.kill()
