"""Signs of an owner that only ECS services carry; see `plugins.ownership` for those of every resource."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.ownership import Sign

SIGNS: Final = (
    Sign(("copilot-",), "AWS Copilot", "Change the manifest and deploy the service.", ("copilot-application",)),
)
