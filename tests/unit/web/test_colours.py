"""The contrast of the dashboard's colours, computed anew from its style sheet for light and dark (WCAG 2.2, 1.4.3)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

CSS: Final = (Path(__file__).parents[3] / "operator/finops_web/static/finops.css").read_text(encoding="utf-8")
TOKENS: Final = {
    name: (light, dark)
    for name, light, dark in re.findall(r"--([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", CSS)
}
TEXT, MARK = 4.5, 3.0
PAIRS: Final = (
    ("text", "surface", TEXT),
    ("text", "page", TEXT),
    ("text", "sunken", TEXT),
    ("text", "data-wash", TEXT),
    ("soft", "surface", TEXT),
    ("soft", "page", TEXT),
    ("soft", "sunken", TEXT),
    ("soft", "data-wash", TEXT),
    ("data", "surface", TEXT),
    ("data", "page", TEXT),
    ("data", "sunken", TEXT),
    ("data", "data-wash", TEXT),
    ("good", "surface", TEXT),
    ("good", "good-wash", TEXT),
    ("warn", "surface", TEXT),
    ("warn", "page", TEXT),
    ("warn", "warn-wash", TEXT),
    ("bad", "surface", TEXT),
    ("bad", "bad-wash", TEXT),
    ("note", "surface", TEXT),
    ("note", "note-wash", TEXT),
    ("on-solid", "good", TEXT),
    ("on-solid", "bad", TEXT),
    ("edge", "surface", MARK),
    ("fill", "surface", MARK),
    ("fill-2", "surface", MARK),
)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("front", "back", "least"), PAIRS)
@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_every_pair_of_colours_that_meet_can_be_read(front: str, back: str, least: float, theme: int) -> None:
    assert contrast(TOKENS[front][theme], TOKENS[back][theme]) >= least


def test_black_on_white_is_twenty_one_to_one() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_colours_are_tokens_alone() -> None:
    rules = CSS.partition("/* 2 ")[2]

    assert re.findall(r"#[0-9a-f]{3,8}\b(?![\w-])", rules) == []
