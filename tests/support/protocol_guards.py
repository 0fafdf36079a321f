"""The guards of the protocol, each of which is needed."""

from __future__ import annotations

from typing import Final

GUARDS: Final = {
    "quorum": (0, 0, "approved by 1 of 2 people"),
    "denials": (0, 1, "although a person had denied or snoozed it"),
    "snoozes": (0, 1, "although a person had denied or snoozed it"),
    "one takes back one's own": (0, 2, "approved by 1 of 2 people"),
    "what was taken back stays so": (0, 2, "approved by 1 of 2 people"),
    "expiry": (0, 1, "although it had expired"),
    "freeze": (0, 1, "although all acts were frozen"),
    "unread votes hold": (0, 1, "was there unread"),
    "last question": (0, 1, "approved by 1 of 2 people"),
    "compare and append": (0, 1, "approved by 1 of 2 people"),
    "intent first": (0, 0, "called without an intent"),
    "decisions are final": (0, 2, "after the request had ended"),
    "ended is ended": (0, 2, "after the act had ended"),
    "fence": (1, 0, "a second final outcome"),
    "acquisition recorded": (1, 0, "a second final outcome"),
    "lease checked before the call": (1, 0, "had its effect twice"),
    "observed before repeated": (1, 0, "a new intent while"),
    "appended once": (1, 0, "an act that had started started again"),
    "time taken before observing": (1, 0, "had its effect twice"),
    "time to show": (1, 0, "had its effect twice"),
    "turning back": (1, 0, "left the instance stopped"),
    "restored before the end": (1, 0, "left the instance stopped"),
    "anchor compared at start": (1, 1, "left the instance stopped"),
}
"""What is taken away → how many faults and events it takes to see what it is for, and what goes wrong then."""
