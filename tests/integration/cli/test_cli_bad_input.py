"""Whatever is wrong with an address, a profile, an endpoint or a kubeconfig: one line that names it, and the fix.

The fixture `finops` runs commands inside the test's process, so an error that is not turned into a line fails the test.
No output may hold the secret of a bad address, whatever the cause.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from tests.integration.cli.aws_process import AwsProcess, account, policy
from tests.integration.cli.conftest import Ended, Files, Finops
from tests.support.answering import answering

SECRET = "s3cret"
HTTP = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\r\n<html>hi</html>"
REFUSED_HTTP = b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"
SSO = """[default]
sso_session = x
sso_account_id = 1
sso_role_name = r
[sso-session x]
sso_region = us-east-1
sso_start_url = https://x.invalid
"""
ADDRESSES = [
    f"redis://:{SECRET}@h:abc/0",
    f"redis://u:{SECRET}@[::1",
    "redis://u:s3c#ret@127.0.0.1:1",
    "redis://u:s3c/ret@127.0.0.1:1",
    "redis://u:12/s3cret@127.0.0.1:1",
    f"redis://u:{SECRET}@127.0.0.1:1/0?foo=bar",
    f"redis://u:{SECRET}@127.0.0.1:1/0?ssl_cert_reqs=none",
    f"rediss://u:{SECRET}@127.0.0.1:1/0?ssl_cert_reqs=foo",
    f"redis://u:{SECRET}@127.0.0.1:99999/0",
    f"redis://u:{SECRET}@127.0.0.1:1/zero",
    f"http://u:{SECRET}@127.0.0.1:1",
    SECRET,
]


def quiet(ended: Ended) -> Ended:
    """Hold that no secret is shown and that every line on stderr is a message of ours."""
    for part in (SECRET, "s3c", "ret@"):
        assert part not in ended.out + ended.err
    assert all(line.startswith(("error: ", "hint: ", "  ")) or ": " in line for line in ended.err.splitlines())
    return ended


def row(ended: Ended, part: str, check: str) -> Mapping[str, str]:
    (found,) = [one for one in json.loads(ended.out) if (one["part"], one["check"]) == (part, check)]
    return dict(found)


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("command", [["recommendations"], ["resources"], ["audit", "list"], ["doctor"]], ids=str)
def test_an_address_that_is_none_names_the_option_it_came_from(
    finops: Finops, command: list[str], address: str
) -> None:
    ended = quiet(finops(*command, "--redis", address))
    assert ended.code == 2
    assert "--redis: is not a store address" in ended.err
    assert "percent-encode" in ended.err


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_that_is_none_names_the_variable_it_came_from(
    aws: AwsProcess, finops: Finops, shell: pytest.MonkeyPatch, address: str
) -> None:
    shell.setenv("FINOPS_REDIS_URL", address)
    ended = quiet(finops("recommendations"))
    assert ended.code == 2
    assert "FINOPS_REDIS_URL: is not a store address" in ended.err
    ended = quiet(finops("doctor", "-o", "json"))
    assert ended.code == 1
    assert "FINOPS_REDIS_URL: is not a store address" in row(ended, "store", "durability")["detail"]
    assert "percent-encode" in row(ended, "store", "durability")["hint"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (HTTP, "does not speak Redis's protocol"),
        (b"-MOVED 3999 127.0.0.1:6381\r\n", "Redis Cluster"),
        (b"-ERR DB index is out of range\r\n", "no such database"),
        (b"-ERR unknown command 'HELLO', with args beginning with: '3' 'AUTH' 'u' 's3cret'\r\n", "unknown command"),
        (b"-DENIED Redis is running in protected mode\r\n", "protected mode"),
        (b"-WRONGPASS invalid username-password pair\r\n", "user or password"),
        (b"-LOADING Redis is loading the dataset in memory\r\n", "does not answer"),
    ],
    ids=["http", "cluster", "database", "proxy", "protected", "password", "loading"],
)
def test_whatever_answers_at_the_stores_address_is_reported_with_the_fix(
    aws: AwsProcess, finops: Finops, files: Files, answer: bytes, words: str
) -> None:
    path = files(policy("production"), account("production"))
    with answering(answer) as port:
        address = f"redis://u:{SECRET}@127.0.0.1:{port}/0"
        for command in (["recommendations"], ["scan", "-f", path]):
            ended = quiet(finops(*command, "--redis", address))
            assert ended.code == 1
            assert words in ended.err
            assert "hint: " in ended.err
        ended = quiet(finops("doctor", "--redis", address, "-o", "json"))
    assert ended.code == 1
    assert words in row(ended, "store", "durability")["detail"]
    assert row(ended, "store", "durability")["hint"]


def test_a_database_the_server_does_not_have_is_reported(finops: Finops, valkey_url: str) -> None:
    ended = finops("recommendations", "--redis", f"{valkey_url}?db=99")
    assert ended.code == 1
    assert "no such database" in ended.err
    assert "0 to 15" in ended.err


@pytest.mark.parametrize(
    ("variables", "config", "code", "words"),
    [
        ({"AWS_ENDPOINT_URL": "foo"}, "", 2, ("AWS_ENDPOINT_URL", "http://HOST:PORT")),
        ({"AWS_ENDPOINT_URL": "http://"}, "", 2, ("AWS_ENDPOINT_URL", "http://HOST:PORT")),
        ({"AWS_ENDPOINT_URL": f"http://u:{SECRET}@127.0.0.1:1"}, "", 2, ("AWS_ENDPOINT_URL", "password")),
        ({"AWS_ENDPOINT_URL_EC2": "ftp://127.0.0.1"}, "", 2, ("AWS_ENDPOINT_URL_EC2", "http://HOST:PORT")),
        ({}, "[default]\nendpoint_url = foo\n", 1, ("endpoint is no address", "http://HOST:PORT")),
        ({"AWS_PROFILE": "nope"}, "", 1, ("nope", "AWS_PROFILE")),
        ({}, "[default\nx", 1, ("parse config file", "~/.aws/config")),
        (
            {"AWS_WEB_IDENTITY_TOKEN_FILE": "/nope/token", "AWS_ROLE_ARN": "arn:aws:iam::111111111111:role/x"},
            "",
            1,
            ("cannot read /nope/token", "give the pod a role", "AWS_PROFILE"),
        ),
        (
            {
                "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:1/",
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/nope/token",
            },
            "",
            1,
            ("cannot read /nope/token", "give the pod a role"),
        ),
        ({}, "", 1, ("no usable AWS credentials", "aws configure")),
        ({}, "[default]\ncredential_process = echo s3cret\n", 1, ("no JSON", "AWS_PROFILE")),
        (
            {},
            SSO,
            1,
            ("SSO", "aws sso login"),
        ),
        ({"AWS_METADATA_SERVICE_TIMEOUT": "soon"}, "", 2, ("AWS_METADATA_SERVICE_TIMEOUT", "number")),
        ({"AWS_DEFAULTS_MODE": "foo"}, "", 1, ("foo", "AWS_…")),
    ],
    ids=[
        *("endpoint", "endpoint-without-host", "endpoint-with-password", "endpoint-of-ec2", "endpoint-in-file"),
        *("profile", "config", "web-identity", "pod-identity", "nothing", "helper", "sso", "figure", "mode"),
    ],
)
def test_whatever_is_wrong_with_credentials_and_endpoints_is_reported_with_the_fix(
    aws: AwsProcess,
    finops: Finops,
    files: Files,
    shell: pytest.MonkeyPatch,
    tmp_path: Path,
    variables: Mapping[str, str],
    config: str,
    code: int,
    words: tuple[str, ...],
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        shell.delenv(name)
    if "endpoint_url" in config:
        shell.delenv("AWS_ENDPOINT_URL")
        shell.setenv("AWS_ACCESS_KEY_ID", "AKIASANDBOXOPERATOR1")
        shell.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    (tmp_path / "config").write_text(config, encoding="utf-8")
    shell.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    for name, value in variables.items():
        shell.setenv(name, value)
    path = files(policy("production"), account("production"))

    ended = quiet(finops("scan", "-f", path))
    assert ended.code == code, ended.err
    assert all(word in ended.err for word in words), ended.err
    assert "check the network" not in ended.err

    ended = quiet(finops("doctor", "-f", path, "-o", "json"))
    assert ended.code == 1
    own = row(ended, "aws", "own identity")
    assert own["verdict"] == "failed"
    assert all(word in f"{own['detail']} {own['hint']}" for word in words), own
    # The rest is looked at all the same.
    assert row(ended, "prices", "bundled")


def test_a_region_that_does_not_exist_names_field_and_fix(aws: AwsProcess, finops: Finops, files: Files) -> None:
    path = files(policy("production", regions=["us-east-9"], resources=["ec2-instance"]), account("production"))
    ended = finops("scan", "-f", path)
    assert ended.code == 1
    assert "us-east-9 does not exist or is not enabled" in ended.err
    assert "spec.regions of the policy" in ended.err


def test_a_region_that_does_not_exist_is_a_gap_where_kinds_without_a_region_were_read(
    aws: AwsProcess, finops: Finops, files: Files
) -> None:
    path = files(policy("production", regions=["us-east-9"]), account("production"))
    ended = finops("scan", "-f", path, "-o", "json")
    assert ended.code == 3
    assert "us-east-9 does not exist or is not enabled" in ended.out
    assert "spec.regions of the policy" in ended.out


KUBECONFIG = """apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: SERVER}}]
users: [{name: u, user: USER}]
"""


def kubeconfig(server: str = "http://127.0.0.1:1", user: str = "{}") -> str:
    return KUBECONFIG.replace("SERVER", server).replace("USER", user)


def helper(command: str) -> str:
    return f"{{exec: {{apiVersion: client.authentication.k8s.io/v1, interactiveMode: Never, command: {command}}}}}"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("", 2, "is empty"),
        ("hello", 2, "form of a kubeconfig"),
        ("- a", 2, "form of a kubeconfig"),
        ("contexts: 5", 2, "form of a kubeconfig"),
        ("a: [", 2, "no usable Kubernetes configuration"),
        ("a: " + "[" * 5000, 2, "form of a kubeconfig"),
        (kubeconfig().replace("name: c", "name: other"), 2, "c in"),
        (kubeconfig("foo"), 2, "http:// or https:// address"),
        (kubeconfig("5"), 2, "form of a kubeconfig"),
        (kubeconfig('""'), 2, "http:// or https:// address"),
        (kubeconfig("ftp://127.0.0.1"), 2, "http:// or https:// address"),
        (kubeconfig('"http://h:abc"'), 2, "form of a kubeconfig"),
        (kubeconfig(user="5"), 2, "form of a kubeconfig"),
        (kubeconfig(user="{tokenFile: /nope/token}"), 2, "/nope/token: No such file"),
        (kubeconfig("https://127.0.0.1:1", "{client-certificate: /nope/cert, client-key: /nope/key}"), 2, "/nope/cert"),
        (kubeconfig(user=helper("/nope/helper")), 2, "log-in program of context here failed"),
        (kubeconfig(user=helper("echo")), 2, "log-in program of context here failed"),
        (kubeconfig(), 1, "127.0.0.1:1: Failed to establish a new connection"),
        (kubeconfig("http://nowhere.invalid"), 1, "Failed to resolve 'nowhere.invalid'"),
    ],
    ids=[
        *("empty", "text", "list", "contexts", "broken", "deep", "no-cluster", "server-word", "server-number"),
        *("server-empty", "server-ftp", "server-port", "user", "token-file", "certificate", "helper-missing"),
        *("helper-text", "refused", "no-name"),
    ],
)
def test_whatever_is_wrong_with_a_kubeconfig_is_reported_with_the_fix(
    finops: Finops, tmp_path: Path, text: str, code: int, words: str
) -> None:
    path = tmp_path / "kubeconfig"
    path.write_text(text, encoding="utf-8")
    for command in (["requests"], ["approve", "x"]):
        ended = quiet(finops(*command, "--kubeconfig", str(path)))
        assert ended.code == code, ended.err
        assert words in ended.err
        assert "hint: " in ended.err
        assert "ERROR:" not in ended.err
        assert "object at 0x" not in ended.err
        assert "Pool(" not in ended.err


def test_a_cluster_that_does_not_know_us_and_a_server_that_is_none_are_reported(finops: Finops, tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    for answer, code, words in (
        (REFUSED_HTTP, 4, "log in again"),
        (HTTP, 1, "is not the Kubernetes API"),
        (
            HTTP.replace(b"text/html", b"application/json").replace(b"<html>hi</html>", b"{}             "),
            1,
            "is not the",
        ),
    ):
        with answering(answer) as port:
            path.write_text(kubeconfig(f"http://127.0.0.1:{port}"), encoding="utf-8")
            ended = finops("approve", "x", "--kubeconfig", str(path))
        assert ended.code == code, ended.err
        assert words in ended.err


def test_an_action_without_the_role_that_acts_is_wrong_usage(finops: Finops) -> None:
    for arguments in ([], ["--for", "scan"]):
        ended = finops("iam-policy", *arguments, "--action", "ec2_instance_stop")
        assert ended.code == 2
        assert ended.out == ""
        assert "--action" in ended.err
        assert "--for act" in ended.err


def test_a_setting_that_does_not_exist_is_named(finops: Finops, shell: pytest.MonkeyPatch) -> None:
    shell.setenv("FINOPS_REDIS_URI", f"redis://:{SECRET}@h")
    ended = quiet(finops("recommendations"))
    assert ended.code == 2
    assert "FINOPS_REDIS_URI" in ended.err
    assert "FINOPS_REDIS_URL" in ended.err


@pytest.mark.parametrize("part", ["aws", "kubernetes", "helper"])
def test_libraries_do_not_talk_between_our_lines(
    aws: AwsProcess, shell: pytest.MonkeyPatch, files: Files, tmp_path: Path, part: str
) -> None:
    arguments = ["scan", "-f", files(policy("production"), account("production"))]
    if part == "aws":
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            shell.delenv(name)
        shell.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nope/token")
        shell.setenv("AWS_ROLE_ARN", "arn:aws:iam::111111111111:role/x")
    else:
        path = tmp_path / "kubeconfig"
        path.write_text(kubeconfig(user=helper("/nope/helper") if part == "helper" else "{}"), encoding="utf-8")
        arguments = ["requests", "--kubeconfig", str(path)]
    command = [sys.executable, "-m", "finops_operator.cli.main", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == (2 if part == "helper" else 1), done.stderr
    assert len(done.stderr.splitlines()) <= 2, done.stderr
    assert "Traceback" not in done.stderr


def _run(shell: pytest.MonkeyPatch, folder: Path, program: str, address: str) -> subprocess.CompletedProcess[str]:
    """Run one of the cluster's programs with a store address, as its pod does."""
    path = folder / "kubeconfig"
    path.write_text(kubeconfig(), encoding="utf-8")
    for name, value in {
        "KUBECONFIG": str(path),
        "FINOPS_REDIS_URL": address,
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_APP_TOKEN": "xapp-1",
        "FINOPS_BUTTON_KEY": "a key for tests only",
        "FINOPS_MEMBERSHIP_KEY": "another key for tests only",
    }.items():
        shell.setenv(name, value)
    return subprocess.run([sys.executable, "-m", program], capture_output=True, text=True, timeout=60, check=False)


PROGRAMS = pytest.mark.parametrize("program", ["finops_operator", "finops_slackbot"])


@pytest.mark.parametrize("address", ADDRESSES[:6])
@PROGRAMS
def test_the_programs_of_the_cluster_end_with_one_line_that_hides_the_address(
    shell: pytest.MonkeyPatch, tmp_path: Path, program: str, address: str
) -> None:
    done = _run(shell, tmp_path, program, address)
    quiet(Ended(done.returncode, done.stdout, done.stderr))
    assert done.returncode == 2, done.stderr
    assert "FINOPS_REDIS_URL: is not a store address" in done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "is not a store address" in line]
    assert "percent-encode" in line


@PROGRAMS
def test_the_programs_of_the_cluster_need_a_store_with_a_password(
    shell: pytest.MonkeyPatch, tmp_path: Path, program: str
) -> None:
    done = _run(shell, tmp_path, program, "redis://user@127.0.0.1:1/0")
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if "FINOPS_REDIS_URL: names no password" in line]
    assert "FINOPS_STORE_ALLOW_UNAUTHENTICATED=true" in line
