"""The real operator, but for one instant: it stops itself where a step's call is signed and about to be sent.

`python -m tests.support.standing_operator` stands as a paused machine would, with all its threads, until SIGCONT. The
operation is in `STANDING_STILL_AT` (`ec2.StopInstances`). Nothing of the operator is replaced: the SDK calls a handler
of its session last, right before the request leaves.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import Any

from finops_operator.__main__ import main
from finops_operator.aws.session import SdkSessions


def _stand_still(**_ignored: Any) -> None:
    # To this thread: sent to the process, another thread may take it while this one sends the request.
    signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)


def _with_keys(sdk: SdkSessions, key: str, secret: str, token: str) -> Any:
    session = _MAKE(sdk, key, secret, token)
    session.register(f"before-send.{os.environ['STANDING_STILL_AT']}", _stand_still)
    return session


_MAKE = SdkSessions.with_keys

if __name__ == "__main__":
    setattr(SdkSessions, "with_keys", _with_keys)  # noqa: B010 - the type checker knows no method that is replaced
    sys.exit(main())
