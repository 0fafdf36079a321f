"""Which desktops may be judged. Pure; shared by the checks."""

from __future__ import annotations

from finops_operator.plugins.check import Facts
from finops_operator.services.workspaces.workspace import AT_REST, WorkspaceFacts


def not_judged(facts: Facts[WorkspaceFacts]) -> str:
    """Return why nothing may be said about the desktop, empty when something may."""
    state = facts.resource.state
    if state not in AT_REST:
        return f"it is {state or 'in an unknown state'}"
    if not facts.own.tags_known:
        return "its tags could not be read, so it may be protected"
    return "it belongs to a desktop that stands by in another region" if facts.own.stands_by else ""
