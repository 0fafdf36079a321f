"""Statements of a step's session policy: its changing calls on its ARNs and nothing else.

Called by the actions. Calls that read are not among them: the executor observes with the scanner role.
"""

from __future__ import annotations

from finops_operator.plugins.action import Statement


def allow(*actions: str, resource: str) -> Statement:
    """Allow `actions` on one ARN."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": [resource]}
