"""Signs of an owner that only clusters carry; see `plugins.ownership` for those of every resource."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.ownership import Sign

SIGNS: Final = (
    Sign(
        ("alpha.eksctl.io/",),
        "eksctl",
        "Change its configuration file and apply it.",
        ("alpha.eksctl.io/cluster-name",),
    ),
)
