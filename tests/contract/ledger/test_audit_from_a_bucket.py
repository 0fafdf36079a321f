"""The ledger read from its bucket alone: exported, verified by a stranger, and looked at by `finops doctor`."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.ledger_keys import PRIVATE_KEY
from tests.support.ledger_lines import records
from tests.support.locked_buckets import PREFIX, Buckets

from finops.ledger.lines import line_of
from finops.ledger.signing import public_key_of
from finops.ports.clock import SystemClock
from finops.settings import from_environment
from finops_operator.cli.diagnosis.ledger_bucket import diagnose_ledger_bucket
from finops_operator.cli.diagnosis.result import Result, Verdict
from finops_operator.cli.main import run

RECORDS = records()


@pytest.fixture
def name(buckets: Buckets) -> str:
    """A bucket that has the ledger of a finished act, in more than one object."""
    made = buckets.make()
    sink = buckets.sink(made)
    sink.append(RECORDS[0])
    sink.append(*RECORDS)
    return made


def exported(name: str, output: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    code = run(["audit", "export", "--from", f"s3://{name}/{PREFIX}"])
    said = output.readouterr()
    return code, said.out, said.err


def verified(tmp_path: Path, export: str) -> int:
    (tmp_path / "ledger.jsonl").write_text(export, encoding="utf-8")
    (tmp_path / "key.pem").write_text(public_key_of(PRIVATE_KEY), encoding="utf-8")
    return run(["audit", "verify", "--file", f"{tmp_path}/ledger.jsonl", "--public-key", f"{tmp_path}/key.pem"])


def test_an_export_from_the_bucket_verifies_without_store_and_cluster(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = exported(name, capsys)
    assert (code, err) == (0, "")
    assert out.encode() == b"".join(map(line_of, RECORDS))
    assert verified(tmp_path, out) == 0


def test_an_export_has_what_was_written_first_and_names_what_was_touched(
    name: str, tmp_path: Path, buckets: Buckets, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = buckets.keys(name)
    buckets.s3.put_object(Bucket=name, Key=first, Body=b"{}\n")
    buckets.s3.delete_object(Bucket=name, Key=second)
    code, out, err = exported(name, capsys)
    assert code == 0
    assert err.count("was written again or deleted later") == 2
    assert verified(tmp_path, out) == 0


def test_an_export_of_a_bucket_that_cannot_be_read_never_verifies(
    name: str, tmp_path: Path, buckets: Buckets, capsys: pytest.CaptureFixture[str]
) -> None:
    buckets.double.control.inject({"kind": "deny", "service": "s3", "action": "GetObject"})
    code, out, err = exported(name, capsys)
    assert code == 1
    assert "GetObject" in err
    assert verified(tmp_path, out) == 1


@pytest.mark.parametrize("address", ["acme", "s3://", "https://acme/ledger"])
def test_what_is_no_address_of_a_bucket_is_refused(address: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["audit", "export", "--from", address]) == 2
    assert "use s3://BUCKET/PREFIX" in capsys.readouterr().err


def diagnosed(name: str, **more: str) -> list[Result]:
    variables = {"FINOPS_LEDGER_S3": f"s3://{name}/{PREFIX}", "FINOPS_LEDGER_S3_REGION": "us-east-1", **more}
    return list(diagnose_ledger_bucket(from_environment(variables), SystemClock()))


def test_the_doctor_says_how_the_bucket_locks(name: str) -> None:
    (found,) = diagnosed(name, FINOPS_LEDGER_S3_RETENTION_DAYS="30")
    assert found.verdict is Verdict.OK
    assert "locks each object for 30 days, compliance mode" in found.detail


def test_the_doctor_says_when_a_lock_is_not_renewed_or_not_known(name: str, buckets: Buckets) -> None:
    (ending,) = diagnosed(name, FINOPS_LEDGER_S3_RETENTION_DAYS="400")
    assert (ending.verdict, "was to be locked anew by now" in ending.detail) == (Verdict.WARNING, True)
    other = buckets.make()
    buckets.s3.put_object(Bucket=other, Key=f"{PREFIX}000000000001.jsonl", Body=b"{}")
    (unknown,) = diagnosed(other)
    assert unknown.verdict is Verdict.UNKNOWN
    assert "finops iam-policy --for ledger" in unknown.hint


def test_the_doctor_says_what_was_touched_and_what_locks_nothing(name: str, buckets: Buckets) -> None:
    key = buckets.keys(name)[0]
    buckets.s3.delete_object(Bucket=name, Key=key)
    (touched,) = diagnosed(name)
    (unlocked,) = diagnosed(buckets.make(locked=False))
    (missing,) = diagnosed("ledger-not-there")
    assert [one.verdict for one in (touched, unlocked, missing)] == [Verdict.FAILED] * 3
    assert key.removeprefix(PREFIX) in touched.detail
    assert "Object Lock" in unlocked.detail
    assert "does not exist" in missing.detail


def test_the_doctor_says_nothing_of_a_bucket_that_is_not_set() -> None:
    assert list(diagnose_ledger_bucket(from_environment({}), SystemClock())) == []
