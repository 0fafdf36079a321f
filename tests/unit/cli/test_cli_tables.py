"""Tables fit the terminal without breaking a word, an id or a sum."""

from __future__ import annotations

import io
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from tests.support.scan_samples import recommendation

from finops_operator.cli.listings import RECOMMENDATIONS, row_of
from finops_operator.cli.output import Format, emit
from finops_operator.cli.tables import Fit, Heading, cut, fold, write_table

HEADINGS = (Heading("COST", right=True), Heading("NAME", fit=Fit.CUT), Heading("ID"), Heading("WHY", fit=Fit.FOLD))
ROW = ("1,373.60", "checkout-production-web-server-blue", "i-0123456789abcdef0", "CPU stayed low for fourteen days")


def table(width: int | None, *rows: tuple[str, ...]) -> list[str]:
    sink = io.StringIO()
    write_table(rows or (ROW,), HEADINGS, sink, width)
    return sink.getvalue().splitlines()


def test_a_name_is_cut_in_its_middle_and_an_id_and_a_sum_stay_whole() -> None:
    lines = table(70)

    assert all(cell_len(line) <= 70 for line in lines)
    assert "…" in lines[1]
    assert "1,373.60" in lines[1]
    assert "i-0123456789abcdef0" in lines[1]


def test_a_sentence_is_folded_between_its_words_onto_further_lines() -> None:
    lines = table(70)

    folded = " ".join(line.split("i-0123456789abcdef0")[-1].strip() for line in lines[1:])
    assert folded == ROW[3]


def test_without_a_width_nothing_is_cut_or_folded() -> None:
    assert len(table(None)) == 2
    assert all(text in table(None)[1] for text in ROW)


def test_the_gap_narrows_before_names_become_unreadable() -> None:
    (_, row, *_) = table(64)

    assert len(row.split("…")[0].split()[-1]) >= 3


@given(st.text(max_size=60), st.integers(1, 40))
def test_a_cut_text_is_never_wider_than_asked(text: str, width: int) -> None:
    assert cell_len(cut(text, width)) <= max(width, 1)


@given(st.lists(st.text(alphabet="abcdef", min_size=1, max_size=12), max_size=12), st.integers(12, 40))
def test_folding_keeps_every_word_and_its_order(words: list[str], width: int) -> None:
    lines = fold(" ".join(words), width)

    assert " ".join(lines).split() == words
    assert all(cell_len(line) <= width for line in lines)


def test_the_default_columns_of_recommendations_fit_eighty_columns() -> None:
    long = recommendation(
        action="ec2_instance_resize", parameters={"instanceType": "m5.2xlarge"}, monthly_savings=Decimal("1373.60")
    )
    sink = io.StringIO()
    emit([row_of(long).record], RECOMMENDATIONS, Format.TABLE, sink)
    header, line = sink.getvalue().splitlines()

    assert header.split() == ["SAVES/MONTH", "WHAT", "NAME", "RESOURCE", "STATUS", "ID"]
    assert "1,373.60" in line
    assert "resize → m5.2xlarge" in line
    assert cell_len(line) <= 80
