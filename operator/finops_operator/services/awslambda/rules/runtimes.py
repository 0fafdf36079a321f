"""Runtimes: which AWS no longer maintains, and which also run on Arm processors.

Source: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html (tables of supported and of deprecated
runtimes). A date that AWS has moved before may move again, so only those stand here that have passed.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

X86: Final = "x86_64"
ARM: Final = "arm64"
DEPRECATED: Final[Mapping[str, date]] = {
    "dotnet5.0": date(2022, 5, 10),
    "dotnet6": date(2024, 12, 20),
    "dotnet7": date(2024, 5, 14),
    "dotnetcore1.0": date(2019, 6, 27),
    "dotnetcore2.0": date(2019, 5, 30),
    "dotnetcore2.1": date(2022, 1, 5),
    "dotnetcore3.1": date(2023, 4, 3),
    "go1.x": date(2024, 1, 8),
    "java8": date(2024, 1, 8),
    "nodejs": date(2016, 10, 31),
    "nodejs4.3": date(2020, 3, 5),
    "nodejs4.3-edge": date(2020, 3, 5),
    "nodejs6.10": date(2019, 8, 12),
    "nodejs8.10": date(2020, 3, 6),
    "nodejs10.x": date(2021, 7, 30),
    "nodejs12.x": date(2023, 3, 31),
    "nodejs14.x": date(2023, 12, 4),
    "nodejs16.x": date(2024, 6, 12),
    "nodejs18.x": date(2025, 9, 1),
    "nodejs20.x": date(2026, 4, 30),
    "provided": date(2024, 1, 8),
    "python2.7": date(2021, 7, 15),
    "python3.6": date(2022, 7, 18),
    "python3.7": date(2023, 12, 4),
    "python3.8": date(2024, 10, 14),
    "python3.9": date(2025, 12, 15),
    "ruby2.5": date(2021, 7, 30),
    "ruby2.7": date(2023, 12, 7),
    "ruby3.2": date(2026, 3, 31),
}
"""Runtime → the day AWS stopped maintaining it."""

_ONLY_X86: Final = frozenset(
    {
        "dotnet5.0",
        "dotnetcore1.0",
        "dotnetcore2.0",
        "dotnetcore2.1",
        "go1.x",
        "java8",
        "nodejs",
        "nodejs4.3",
        "nodejs4.3-edge",
        "nodejs6.10",
        "nodejs8.10",
        "nodejs10.x",
        "provided",
        "python2.7",
        "python3.6",
        "python3.7",
        "ruby2.5",
    }
)


def runs_on_arm(runtime: str) -> bool:
    """Return whether a runtime is offered for Arm; those of the first Amazon Linux and older ones are not."""
    return runtime not in _ONLY_X86
