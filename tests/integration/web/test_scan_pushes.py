"""`finops scan --push`: a scan that was made elsewhere arrives whole, or says why it did not."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import pytest
import urllib3
from fastapi.testclient import TestClient
from tests.support.fake_clock import FakeClock
from tests.support.web_estate import ACCOUNT, NOW, Site, StoredScan, priced, resource

from finops.domain.resource import Gap, Shard
from finops.domain.utilization import MonthlyUse, Utilization
from finops.errors import InvalidInput, Refused, Unavailable
from finops.settings import Settings
from finops.store.connection import Store, open_store
from finops.store.pushed import PushedResources
from finops.store.recommendations import RecommendationStore
from finops.store.utilization import UtilizationStore
from finops_operator.cli.pushing import Pusher, Target, target_of
from finops_operator.scan.scan import ScanOutcome


@dataclass(slots=True)
class Wire:
    """Carries what urllib3 would send to a dashboard of this process; `answers` come first, an error is raised."""

    http: TestClient
    answers: list[Any] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)

    def request(self, method: str, url: str, *, body: bytes, headers: dict[str, str], redirect: bool) -> Any:
        """Answer as urllib3 does."""
        assert (method, redirect) == ("POST", False)
        self.sizes.append(len(body))
        if self.answers:
            first = self.answers.pop(0)
            if isinstance(first, Exception):
                raise first
            return first
        parts = urlsplit(url)
        answer = self.http.post(f"{parts.path}?{parts.query}", content=body, headers=headers)
        return SimpleNamespace(status=answer.status_code, data=answer.content, headers=answer.headers)


def answering(status: int, data: bytes = b"", **headers: str) -> Any:
    return SimpleNamespace(
        status=status, data=data, headers={name.replace("_", "-"): it for name, it in headers.items()}
    )


@pytest.fixture
def there(valkey_url: str, store: Store) -> Store:
    """The store of the dashboard, apart from the scanner's."""
    return open_store(valkey_url, prefix=f"{store.keys.prefix}there:")


@pytest.fixture
def wire(site: Site, there: Store) -> Wire:
    return Wire(site.client(there))


@pytest.fixture
def pusher(site: Site, wire: Wire) -> Pusher:
    target = Target("http://localhost", "team-a", site.token("alice"))
    return Pusher(target, FakeClock(NOW), cast("urllib3.PoolManager", wire))


def scanned(
    store: Store, count: int, *, generation: str = "g1", gaps: tuple[Gap, ...] = (), **facts: Any
) -> ScanOutcome:
    rows = {
        str(number): (
            resource(
                "ebs-volume",
                f"vol-{number}",
                arn=f"arn:aws:ec2:us-east-1:{ACCOUNT}:volume/vol-{number}",
                attributes=facts,
            ),
            priced(monthly="1.00"),
        )
        for number in range(count)
    }
    policy = ("default", "own-account")
    StoredScan(store, policy).write(rows, gaps=gaps, generation=generation)
    head = RecommendationStore(store).head(policy)
    assert head is not None
    return cast("ScanOutcome", SimpleNamespace(summary=head.summary))


def arrived(there: Store) -> dict[str, Any]:
    return {name: one for _, found, _ in PushedResources(there).read("team-a") for name, one in found.items()}


def no_progress(_text: str) -> None:
    """Show nothing."""


def test_a_scan_arrives_whole_in_bodies_that_the_dashboard_takes(
    pusher: Pusher, wire: Wire, store: Store, there: Store
) -> None:
    outcome = scanned(store, 700, note="x" * 200)
    use = Utilization("vol-3", month={"volumeReadOps": MonthlyUse(5.0, 720.0)})
    UtilizationStore(store).put_summaries(Shard(ACCOUNT, "us-east-1", "ebs-volume"), {"vol-3": use})
    shown: list[str] = []

    assert pusher.push(outcome, store, shown.append) == 700

    found = arrived(there)
    assert len(found) == 700
    assert found["vol-3"].month == use.month
    assert found["vol-3"].resource.attributes == {"note": "x" * 200}
    assert len(wire.sizes) > 2
    assert max(wire.sizes) <= 64 * 1024
    assert shown[-1] == "pushing: 700 resources"


def test_pushed_again_it_replaces_and_what_is_gone_goes(pusher: Pusher, store: Store, there: Store) -> None:
    pusher.push(scanned(store, 3), store, no_progress)
    pusher.push(scanned(store, 3), store, no_progress)
    assert len(arrived(there)) == 3

    pusher.push(scanned(store, 2, generation="g2"), store, no_progress)

    assert sorted(arrived(there)) == ["vol-0", "vol-1"]


def test_what_the_scan_could_not_see_arrives_as_a_gap(pusher: Pusher, store: Store, there: Store) -> None:
    gap = Gap(ACCOUNT, "eu-west-1", "rds", "DescribeDBInstances", "AccessDenied", "denied", 4)
    nowhere = Gap("production", "", "sts", "AssumeRole", "AccessDenied", "denied")

    pusher.push(scanned(store, 1, gaps=(gap, nowhere)), store, no_progress)

    (scan,) = PushedResources(there).scans("team-a").values()
    assert scan.gaps == (gap,)


def test_a_resource_that_is_too_large_is_a_gap_and_its_kind_is_not_called_whole(
    pusher: Pusher, store: Store, there: Store
) -> None:
    pusher.push(scanned(store, 1), store, no_progress)
    pusher.push(scanned(store, 1, generation="g2", note="x" * 20_000), store, no_progress)

    # The older picture stays: nobody knows what became of it.
    assert sorted(arrived(there)) == ["vol-0"]
    (scan,) = PushedResources(there).scans("team-a").values()
    assert [(one.code, one.resources) for one in scan.gaps] == [("TooLarge", 1)]


def test_a_dashboard_that_does_not_answer_is_asked_again_with_growing_pauses(
    pusher: Pusher, wire: Wire, store: Store, there: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    wire.answers = [urllib3.exceptions.ProtocolError("reset"), answering(503), answering(429, Retry_After="7")]

    assert pusher.push(scanned(store, 1), store, no_progress) == 1

    assert len(arrived(there)) == 1
    said = capsys.readouterr().err
    assert [line.rpartition(" in ")[2] for line in said.splitlines()] == ["1 s", "2 s", "7 s"]


def test_after_six_failures_it_says_so_and_that_nothing_counts_twice(pusher: Pusher, wire: Wire, store: Store) -> None:
    wire.answers = [answering(502) for _ in range(6)]

    with pytest.raises(Unavailable, match="6 times in a row") as found:
        pusher.push(scanned(store, 1), store, no_progress)

    assert "nothing is counted twice" in found.value.hint


@pytest.mark.parametrize(
    ("person", "kind"), [("carol", Refused), ("nobody", Refused)], ids=["without-the-right", "no-token-of-the-cluster"]
)
def test_a_token_that_may_not_push_is_refused_at_once(
    site: Site, wire: Wire, store: Store, there: Store, person: str, kind: type[Exception]
) -> None:
    token = site.token(person) if person == "carol" else person
    pusher = Pusher(Target("http://localhost", "team-a", token), FakeClock(NOW), cast("urllib3.PoolManager", wire))

    with pytest.raises(kind, match="refuses the push"):
        pusher.push(scanned(store, 1), store, no_progress)

    assert len(wire.sizes) == 1
    assert arrived(there) == {}


@pytest.mark.parametrize("data", [b"<html>", b"{}", json.dumps({"error": 3}).encode()])
def test_what_is_no_dashboard_is_named(pusher: Pusher, wire: Wire, store: Store, data: bytes) -> None:
    wire.answers = [answering(404, data)]

    with pytest.raises(InvalidInput, match="not as a dashboard does"):
        pusher.push(scanned(store, 1), store, no_progress)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "no address"),
        ("finops.example.org", "no address"),
        ("ftp://finops.example.org", "no address"),
        ("https://user:word@finops.example.org", "no address"),
        ("https://finops.example.org/?x=1", "no address"),
        ("http://finops.example.org", "in clear"),
    ],
)
def test_an_address_that_cannot_be_pushed_to_is_refused_before_anything_is_scanned(url: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        target_of(url, "team-a", "", Settings(push_token="t"))


def test_the_token_comes_from_a_file_or_the_environment(tmp_path: Path) -> None:
    held = tmp_path / "token"
    held.write_text("from-file\n", encoding="utf-8")
    settings = Settings(push_token="from-environment")

    assert target_of("https://f.example.org/", "n", str(held), settings) == Target(
        "https://f.example.org", "n", "from-file"
    )
    assert target_of("http://127.0.0.1:8080", "", "", settings) == Target(
        "http://127.0.0.1:8080", "", "from-environment"
    )
    assert target_of("", "", "", settings) is None
    with pytest.raises(InvalidInput, match="is needed"):
        target_of("https://f.example.org", "", "", Settings())
    with pytest.raises(InvalidInput, match="cannot read"):
        target_of("https://f.example.org", "", str(tmp_path / "none"), settings)
