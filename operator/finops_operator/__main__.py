"""`finops-operator`: reads the environment, makes the operator, serves until SIGTERM."""

from __future__ import annotations

import logging
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from finops import logs
from finops.errors import FinopsError
from finops.settings import from_environment
from finops_operator.bootstrap import make_operator

logger = logging.getLogger("finops_operator")


def main() -> int:
    """End the process with 0 after a clean stop; return 2 for a setting that cannot be used, 1 for anything else."""
    try:
        settings = from_environment(os.environ)
    except FinopsError as error:
        sys.stderr.write(f"finops-operator: {error}\n")
        return 2
    secrets = (
        settings.redis_url,
        os.environ.get("AWS_SECRET_ACCESS_KEY", ""),
        os.environ.get("FINOPS_STORE_PASSWORD", ""),
    )
    logs.configure(format_=settings.log_format, level=settings.log_level, secrets=secrets)
    try:
        operator = make_operator(settings)

        def stop(number: int, _frame: FrameType | None) -> None:
            logger.info("stopping on %s", signal.Signals(number).name)
            operator.stop.set()

        signal.signal(signal.SIGTERM, stop)
        signal.signal(signal.SIGINT, stop)
        # A loop that died is the kubelet's to see.
        _leave(operator.run())
    except FinopsError as error:
        logger.critical("cannot serve: %s", error)
        return 2 if error.code == "InvalidInput" else 1


def _leave(code: int) -> NoReturn:
    """End the process without the threads that stand in a call to the outside: the interpreter would wait for them."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
