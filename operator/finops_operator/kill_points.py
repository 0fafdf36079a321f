"""Names of all boundaries of an act at which a test may kill the process, in the order in which an act meets them.

The act stage passes them to `killpoint`; the tests walk this list, so a boundary that is not in it is not tested.
"""

from __future__ import annotations

from typing import Final

ACT_KILL_POINTS: Final = (
    "act.admitted",
    "act.observed",
    "act.gate",
    "act.started.before",
    "act.started.after",
    "sts.before",
    "sts.after",
    "intent.before",
    "ledger.intent.after-stream",
    "intent.after",
    "aws.before",
    "aws.sent",
    "outcome.before",
    "ledger.outcome.after-stream",
    "outcome.after",
    "settle.before",
    "settle.after",
    "compensate.before",
    "compensate.after",
    "wait.before",
    "status.before",
    "status.after",
    "verify.before",
    "ledger.verified.after-stream",
    "verify.after",
    "finish.before",
    "finish.after",
    "realized.before",
    "realized.after",
    "act.released",
)
