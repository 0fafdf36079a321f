"""``python -m finops_sandbox.aws``: the AWS double as a process; the demo's supervisor starts it."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from finops_sandbox.aws.double import AwsDouble, Delays
from finops_sandbox.aws.estate import SAMPLE_ESTATE
from finops_sandbox.aws.estate_fields import EstateError
from finops_sandbox.planted.everything import demo_document

ESTATE = "YAML file; 'sample' is one of EC2 and EBS, 'demo' adds an account of all services, empty has no resources"


def main(arguments: list[str] | None = None) -> int:
    """Run until SIGTERM or SIGINT; exit code 2 for a bad estate."""
    parser = argparse.ArgumentParser(prog="python -m finops_sandbox.aws", description="AWS double for the sandbox")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 picks a free one")
    parser.add_argument("--estate", default="", help=ESTATE)
    parser.add_argument("--state-seconds", type=float, default=0.3, help="length of each transitional state")
    given = parser.parse_args(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    named: dict[str, Callable[[], Path | dict[str, Any] | None]] = {
        "": lambda: None,
        "sample": lambda: SAMPLE_ESTATE,
        "demo": demo_document,
    }
    source = named.get(given.estate, lambda: Path(given.estate))()
    seconds = given.state_seconds
    try:
        double = AwsDouble(source, host=given.host, port=given.port, delays=Delays(seconds, seconds, seconds, seconds))
        double.start()
    except (EstateError, OSError) as error:
        print(f"aws: {error}", file=sys.stderr)  # noqa: T201 - a command's own output
        return 2
    print(f"aws: listening on {double.url}", flush=True)  # noqa: T201 - a command's own output
    stop.wait()
    double.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
