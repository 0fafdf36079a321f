"""Signs of an owner that only SageMaker's resources carry; see `plugins.ownership` for those of every resource."""

from __future__ import annotations

from typing import Final

from finops_operator.plugins.ownership import Sign

SIGNS: Final = (
    Sign(("sagemaker:project-name",), "a SageMaker project", "Change the project.", ("sagemaker:project-name",)),
)
