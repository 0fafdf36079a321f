"""A stop and a start of a database or of a cluster in words; used by the four actions that stop and start them."""

from __future__ import annotations

from finops.domain.recommendation import EvidenceFact
from finops_operator.plugins.action import ActWords


def stop_words(noun: str, billed: str) -> ActWords:
    """Return a stop in words.

    Args:
        noun: what is stopped.
        billed: what AWS bills of it while it is stopped.
    """
    return ActWords(
        verb="Stop",
        consequence="It is stopped: nothing can connect to it. AWS starts it again after seven days.",
        downtime="Until someone starts it, seven days at most",
        undo="Start it. Its data, its endpoint and its settings are kept.",
        steps={
            "stop": f"Stop the {noun}",
            "wait_stopped": "Wait until it is stopped",
            "start": f"Start the {noun} again",
            "wait_available": "Wait until it is available",
        },
        facts=(EvidenceFact("Still billed while stopped", billed),),
    )


def start_words(noun: str) -> ActWords:
    """Return a start in words."""
    return ActWords(
        verb="Start",
        consequence="It is started again, earlier than AWS would do it, and costs as much as before.",
        downtime="None: it is stopped",
        undo="If AWS does not start it, it stays stopped until AWS does. Later: stop it.",
        steps={"start": f"Start the {noun}", "wait_started": "Wait until it is available"},
    )
