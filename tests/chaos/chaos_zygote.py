"""Forks operators: imports everything once, then one fork for every order that it reads, so that a start costs little.

`python -m tests.chaos.chaos_zygote` reads one order a line (JSON). It answers nothing: an operator says its own process
id on the socket that its order names.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import signal
import sys

from tests.chaos.chaos_operator import Order, be_operator
from tests.support.act_world import warm_sdk


def main() -> None:
    """Serve orders until standard input closes."""
    # The kernel buries the dead: nobody here asks how an operator ended.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    sdk = warm_sdk()
    # What is collected is written to, and so copied for every child: what all share is left alone.
    gc.freeze()
    for line in sys.stdin:
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            code = 1
            try:
                be_operator(Order(**json.loads(line)), sdk)
                code = 0
            except BaseException:
                # The edge of the process: its log is where a failed run is explained.
                logging.getLogger(__name__).exception("the operator died")
                raise
            finally:
                os._exit(code)


if __name__ == "__main__":
    main()
