"""The scan's speed beside Cloud Custodian's, in one run on one canned endpoint: part of `make bench`.

    python -m tests.benchmarks.speed_program [--instances N] [--out FILE] [--parts NAME …]

Each run is a process of its own: `finops scan` as a person types it, over instances alone, with store, prices and
every check of theirs; and Cloud Custodian from its package with one policy and one metric. Writes what each used as
JSON, which `tools/build_benchmarks.py` turns into the tables of docs/benchmarks.md. The exit code is 1 when Cloud
Custodian cannot be installed or a run fails.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml
from tests.support.canned_control import REGION, CannedEndpoint, running_canned_endpoint
from tests.support.canned_fleet import PROFILES
from tests.support.custodian import VERSION, Custodian, NotInstalled
from tests.support.measured_process import Used, run_measured
from tests.support.valkey import running_valkey

ROOT: Final = Path(__file__).resolve().parents[2]
OUT: Final = ROOT / "docs/benchmarks.json"
ACCOUNT: Final = "111111111111"
ROUND_TRIP: Final = 30
DAY: Final = 86_400
SMALL: Final = 1_000
TENFOLD: Final = 10
IDLE_BELOW: Final = 5.0
"""Percent of CPU: far from every average of the fleet, so that windows a minute apart cannot differ."""
_OUT_OF_THE_WAY: Final = "1000"
_GAPS: Final = 3


@dataclass(slots=True)
class Bench:
    """What the runs share.

    Attributes:
        instances: of the large fleet.
        runs: name → what the run used, found and asked.
    """

    endpoint: CannedEndpoint
    redis: str
    folder: Path
    instances: int
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _custodian: list[Custodian] = field(default_factory=list)

    def scan(
        self,
        name: str,
        size: int,
        *,
        store: str = "",
        later_seconds: float = 0,
        share: str = _OUT_OF_THE_WAY,
        policies: int = 1,
        rule: str = "",
        report: bool = False,
        fleet: Mapping[str, Any] | None = None,
        **switches: Any,
    ) -> dict[str, Any]:
        """Run `finops scan` once and keep what it used under `name`.

        Before a first scan a small fleet is scanned without measuring: the endpoint works out a series when it is
        asked for first, and has those of all instances then.

        Args:
            name: of the run.
            size: of the fleet.
            store: the run whose store it goes on with; else an empty one.
            later_seconds: how much later than now it is for the command and for the fleet.
            share: FINOPS_AWS_QUOTA_PERCENT.
            policies: how many policies ask for the same.
            rule: a condition of a check of the policy's own.
            report: print the JSON report, which holds each resource, in place of the usual table.
            fleet: further orders for the fleet.
            switches: of the endpoint.
        """
        now = time.time() + later_seconds
        file = self.folder / f"{name}.yaml"
        file.write_text(yaml.safe_dump_all(_documents(policies, rule)), encoding="utf-8")
        if not store:
            self.endpoint.fleet(PROFILES, now=now, **(fleet or {}))
            self.endpoint.switches()
            self._command(f"{name}-before", file, later_seconds, share, report=report)
        self.endpoint.fleet(size, now=now, **(fleet or {}))
        self.endpoint.switches(latency_milliseconds=ROUND_TRIP, **switches)
        used, printed = self._command(store or name, file, later_seconds, share, report=report)
        lines = [json.loads(printed.read_text(encoding="utf-8"))] if report else []
        return self._keep(name, "finops", size, used, _found(lines[0]) if lines else {})

    def _command(self, store: str, file: Path, later_seconds: float, share: str, *, report: bool) -> tuple[Used, Path]:
        """Run `finops scan` and return what it used, and the file with what it printed."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("FINOPS_", "AWS_", "KUBE"))}
        environment = {
            **kept,
            **self.endpoint.environment(),
            "FINOPS_DEMO": "true",
            "FINOPS_AWS_QUOTA_PERCENT": share,
            "FINOPS_REDIS_PREFIX": f"{store}:",
        }
        command = [sys.executable, "-m", "tests.support.command_later", str(later_seconds)]
        command += ["scan", "-f", str(file), "--redis", self.redis, *(["-o", "json"] if report else [])]
        printed = self.folder / f"{file.stem}.out"
        used = run_measured(command, environment, printed)
        if used.code not in {0, _GAPS}:
            raise SystemExit(f"{file.stem} failed: {printed.with_suffix('.err').read_text(encoding='utf-8')}")
        return used, printed

    def custodian(self, name: str, size: int, **switches: Any) -> dict[str, Any]:
        """Run Cloud Custodian once and keep what it used under `name`.

        Raises:
            NotInstalled: see `Custodian.installed`.
        """
        if not self._custodian:
            self._custodian.append(Custodian.installed(self.folder / "c7n"))
        self.endpoint.fleet(size)
        self.endpoint.switches(latency_milliseconds=ROUND_TRIP, **switches)
        used, ids = self._custodian[0].idle_instances(
            self.endpoint.environment(), self.folder / name, average_below=IDLE_BELOW
        )
        found = {"matched": sorted(ids)}
        return self._keep(name, f"c7n {VERSION}", size, used, found)

    def _keep(self, name: str, tool: str, size: int, used: Used, found: Mapping[str, Any]) -> dict[str, Any]:
        asked = self.endpoint.counters()
        run = {
            "tool": tool,
            "instances": size,
            "seconds": round(used.seconds, 1),
            "cpuSeconds": round(used.cpu_seconds, 1),
            "peakMegabytes": round(used.peak_megabytes),
            "exitCode": used.code,
            "othersLoad": round(os.getloadavg()[0], 1),
            "requests": sum(asked["calls"].values()),
            "throttled": sum(asked["throttled"].values()),
            "metricRequests": sum(
                asked["calls"].get(f"cloudwatch:GetMetric{one}", 0) for one in ("Data", "Statistics")
            ),
            "datapoints": asked["datapointsAsked"],
            "megabytesReceived": round(asked["bytesSent"] / 1e6, 1),
            **found,
        }
        self.runs[name] = run
        shown = {key: len(value) if isinstance(value, list) else value for key, value in run.items()}
        print(f"{name}: {json.dumps(shown)}", flush=True)
        return run


def _documents(policies: int, rule: str) -> Iterator[dict[str, Any]]:
    role = {"scannerRoleArn": f"arn:aws:iam::{ACCOUNT}:role/finops-scanner", "externalId": "canned"}
    yield {
        "apiVersion": "finops.dev/v1alpha1",
        "kind": "AwsAccount",
        "metadata": {"name": "production"},
        "spec": {"accountId": ACCOUNT, **role, "allow": [{"namespaces": ["default"]}]},
    }
    own = [{"id": "idle_cpu", "kind": "ec2-instance", "when": rule, "message": "It is idle."}] if rule else []
    for number in range(policies):
        yield {
            "apiVersion": "finops.dev/v1alpha1",
            "kind": "ScanPolicy",
            "metadata": {"name": f"policy-{number}", "namespace": "default"},
            "spec": {
                "accounts": [{"name": "production"}],
                "regions": [REGION],
                "resources": ["ec2-instance"],
                **({"customChecks": own} if own else {}),
            },
        }


def _found(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the JSON report of a scan says."""
    summary = report["summary"]
    # Of several recommendations for a resource all are listed.
    matched = {one["resource"]["id"] for one in report["recommendations"] if one["check"].endswith("idle_cpu")}
    return {
        "resources": summary["resources"],
        "unknown": summary["unknownResources"],
        "recommendations": len(report["recommendations"]),
        "gaps": summary["gaps"],
        **({"matched": sorted(matched)} if matched else {}),
    }


# -- the parts ---------------------------------------------------------------------------------------------------------


def beside(bench: Bench) -> None:
    """The large fleet without quotas, by both programs."""
    bench.scan("noQuotas", bench.instances)
    bench.custodian("custodian", bench.instances)


def share(bench: Bench) -> None:
    """The large fleet with AWS's quotas in force, half of them ours."""
    bench.scan("defaultShare", bench.instances, share="50", quotas=True)


def growth(bench: Bench) -> None:
    """Ten times the large fleet: how much memory grows with it."""
    bench.scan("tenfold", TENFOLD * bench.instances)


def later(bench: Bench) -> None:
    """The large fleet the day after."""
    if "noQuotas" not in bench.runs:
        bench.scan("noQuotas", bench.instances)
    _day_after(bench, "dayLater", "noQuotas", bench.instances)


def _day_after(bench: Bench, name: str, first: str, size: int) -> None:
    """Scan a day after the run `first`, with one instance in a hundred replaced."""
    bench.scan(name, size, store=first, later_seconds=DAY + 600, fleet={"replaced_percent": 1})


def small(bench: Bench) -> None:
    """A thousand instances; the same four times over; both programs asked for the same instances."""
    bench.scan("thousand", SMALL)
    _day_after(bench, "thousandDayLater", "thousand", SMALL)
    bench.scan("fourPolicies", SMALL, policies=4)
    rule = f"resource.state == 'running' && utilization.cpuPercent.average < {IDLE_BELOW}"
    bench.scan("sameRule", SMALL, rule=rule, report=True)
    bench.custodian("custodianThousand", SMALL)


def throttled(bench: Bench) -> None:
    """CloudWatch and EC2 refuse 40 and 70 of a hundred requests, whatever is asked."""
    bench.scan("throttled40", SMALL, report=True, throttled_share=0.4)
    bench.scan("throttled70", SMALL, report=True, throttled_share=0.7)
    bench.custodian("custodianThrottled40", SMALL, throttled_share=0.4, throttled_services=("cloudwatch",))


PARTS: Final[Mapping[str, Callable[[Bench], None]]] = {
    "beside": beside,
    "later": later,
    "share": share,
    "small": small,
    "throttled": throttled,
}
ASKED_FOR: Final[Mapping[str, Callable[[Bench], None]]] = {"growth": growth}
"""What takes too long for every run: only by name."""


@contextmanager
def running_bench(instances: int) -> Iterator[Bench]:
    """Start endpoint and store, and keep what runs print in a folder that is thrown away."""
    # Whatever pip installs is compiled, Cloud Custodian too.
    compileall.compile_dir(ROOT / "operator", quiet=1)
    with (
        tempfile.TemporaryDirectory(prefix="speed-") as folder,
        running_valkey() as store,
        running_canned_endpoint() as endpoint,
    ):
        yield Bench(endpoint, store.url, Path(folder), instances)


def document(bench: Bench, before: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is written: the runs of this time, and those of `before` that were not repeated."""
    return {
        "measured": datetime.now(UTC).date().isoformat(),
        "processors": os.cpu_count(),
        "roundTripMilliseconds": ROUND_TRIP,
        "runs": {**before.get("runs", {}), **{name: _short(run) for name, run in bench.runs.items()}},
    }


def _short(run: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run with the number of what matched in place of each."""
    return {key: len(value) if key == "matched" else value for key, value in run.items()}


def main(arguments: list[str] | None = None) -> int:
    """Measure, write the file, return the exit code."""
    parser = argparse.ArgumentParser(prog="speed_program")
    parser.add_argument("--instances", type=int, default=10_000, help="of the large fleet")
    parser.add_argument("--out", type=Path, default=OUT, help="where the figures go")
    parser.add_argument("--parts", nargs="*", default=list(PARTS), choices=[*PARTS, *ASKED_FOR])
    asked = parser.parse_args(arguments)
    before = (
        json.loads(asked.out.read_text(encoding="utf-8"))
        if asked.out.exists() and not set(PARTS) <= set(asked.parts)
        else {}
    )
    with running_bench(asked.instances) as bench:
        for name in asked.parts:
            try:
                {**PARTS, **ASKED_FOR}[name](bench)
            except NotInstalled as error:
                print(error, file=sys.stderr)
                return 1
            asked.out.write_text(json.dumps(document(bench, before), indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
