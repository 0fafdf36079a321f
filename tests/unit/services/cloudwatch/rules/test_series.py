"""How many series a namespace has, with and without a dimension, against a plain count."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from finops_operator.services.cloudwatch.rules.series import SeriesTally, Widest

Series = tuple[str, dict[str, str]]
SERIES = st.tuples(
    st.sampled_from(["Latency", "Errors"]),
    st.dictionaries(st.sampled_from(["Host", "Request", "Zone"]), st.sampled_from("abcd"), max_size=3),
)


def tallied(series: list[Series]) -> SeriesTally:
    tally = SeriesTally()
    for name, dimensions in series:
        pairs = [{"Name": key, "Value": value} for key, value in dimensions.items()]
        tally.add({"Namespace": "Shop", "MetricName": name, "Dimensions": pairs})
    return tally


def plain(series: list[Series], without: str) -> int:
    return len({(name, *sorted((k, v) for k, v in some.items() if k != without)) for name, some in series})


def apart(series: list[Series], without: str) -> int:
    """Count as before, but never take a series that has the dimension and one that never had it for the same."""
    return len(
        {(name, without in some, *sorted((k, v) for k, v in some.items() if k != without)) for name, some in series}
    )


@given(st.lists(SERIES, max_size=40))
def test_counts_are_those_of_a_plain_count(series: list[Series]) -> None:
    tally = tallied(series)
    widest = tally.widest()
    names = {key for _, some in series for key in some}
    assert len(tally.series) == plain(series, "")
    assert tally.names == len({name for name, _ in series})
    assert widest.left == min((apart(series, one) for one in names), default=len(tally.series))
    assert widest.left >= plain(series, widest.dimension)
    assert widest.values == len({some[widest.dimension] for _, some in series if widest.dimension in some})


def test_the_dimension_that_names_each_request_is_the_widest() -> None:
    series = [("Latency", {"Host": f"h{number % 3}", "Request": f"r{number}"}) for number in range(60)]
    assert tallied([*series, ("Errors", {})]).widest() == Widest("Request", 60, 4)
    assert tallied([("Errors", {})]).widest() == Widest("", 0, 1)
