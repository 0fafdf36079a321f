"""Which rows of AWS's offer files are the figures of our tables; pure.

Read by `finops prices refresh`. Each kind declares the rules of its own figures (`listed`). A rule names fields of the
offer files by AWS's words, as the Price List Query API spells them; the columns of a CSV file are the same words with
blanks and capitals (`Product Family` is `productFamily`). What cannot be named for certain has no rule and keeps the
figure of the bundled tables. Kinds name further figures by their `offers`.

Sources: "Reading the service price list file" (Billing user guide); fields and usage types as the offer files and Cost
and Usage Reports spell them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Protocol, TypeAlias

from finops_operator.pricing.offers import GB_MONTHS, GIGABYTES, HOURS, Offer, Offers, all_offers

Row: TypeAlias = Callable[[str], str]
"""Field → its word in a row, empty where the file has no such column."""
Word: TypeAlias = Callable[[Row, Mapping[str, str]], str]
"""Row and the named parts of its usage type → the value of an attribute, empty where it is another product."""
Figure: TypeAlias = tuple[str, str, tuple[tuple[str, str], ...]]
"""Service, dimension and attributes, in our words."""

ANY_REGION: Final = r"(?:[A-Z]{2,4}\d?-)?"
"""How a usage type begins in regions other than us-east-1; those of Local Zones and Outposts are longer."""
_ONE: Final = Decimal(1)
_MIB_PER_GIB: Final = Decimal(1024)


@dataclass(frozen=True, slots=True)
class Rule:
    """How one sort of figure is found.

    Attributes:
        code: the service code of the offer file.
        service, dimension, unit: in our words.
        published: AWS's unit, in lower case → how many of ours it is.
        fields: field → the words that it may have.
        usage: of the usage type without its region.
        attributes: name → its value in a row.
        begins: the unit of a month with which the step begins that is meant; None: one price for all units.
    """

    code: str
    service: str
    dimension: str
    unit: str
    published: Mapping[str, Decimal]
    fields: tuple[tuple[str, frozenset[str]], ...]
    usage: re.Pattern[str]
    attributes: tuple[tuple[str, Word], ...] = ()
    begins: Decimal | None = None

    def figure(self, row: Row) -> Figure | None:
        """Return the figure that a row is of, None where it is of another product."""
        if not all(row(name) in words for name, words in self.fields):
            return None
        found = self.usage.fullmatch(row("usagetype"))
        if found is None:
            return None
        parts = {name: text or "" for name, text in found.groupdict().items()}
        values = tuple((name, word(row, parts)) for name, word in self.attributes)
        return (self.service, self.dimension, values) if all(value for _, value in values) else None


# -- the words of which kinds make rules -------------------------------------------------------------------------------


def usage_type(pattern: str) -> re.Pattern[str]:
    """Return the usage types of a pattern in whatever region."""
    return re.compile(ANY_REGION + pattern)


def constant(value: str) -> Word:
    """Return a value that is the same in all rows."""
    return lambda _row, _parts: value


def part(name: str) -> Word:
    """Return a named part of the usage type."""
    return lambda _row, parts: parts[name]


def spelled(name: str) -> Word:
    """Return the word of a field as it stands there."""
    return lambda row, _parts: row(name)


def mapped(name: str, words: Mapping[str, str]) -> Word:
    """Return our word for that of a field; a row with another word is another product."""
    return lambda row, _parts: words.get(row(name), "")


def having(**words: str | tuple[str, ...]) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return field → the words that a row may have there."""
    return tuple((name, frozenset((word,) if isinstance(word, str) else word)) for name, word in words.items())


def per(units: frozenset[str], amount: Decimal = _ONE) -> dict[str, Decimal]:
    """Return AWS's units, each of as many of ours."""
    return dict.fromkeys(units, amount)


HOURLY: Final = per(HOURS)
GB_MONTHLY: Final = per(GB_MONTHS)
PER_GB: Final = per(GIGABYTES)
IOPS_MONTHLY: Final = per(frozenset({"iops-mo", "iops-month"}))
THROUGHPUT: Final = {
    **per(frozenset({"mibps-mo", "mibps-month", "mbps-mo", "mbps-month"})),
    **per(frozenset({"gibps-mo", "gibps-month"}), _MIB_PER_GIB),
}
REQUESTS: Final = per(frozenset({"request", "requests"}))


class _Kind(Protocol):
    """What of a kind is needed here."""

    @property
    def listed(self) -> tuple[Rule, ...]: ...

    @property
    def offers(self) -> Offers: ...


def tabled(kinds: Iterable[_Kind]) -> tuple[Rule, ...]:
    """Return the rules of the figures that tables have."""
    return tuple(rule for kind in kinds for rule in kind.listed)


def rules(kinds: Collection[_Kind]) -> tuple[Rule, ...]:
    """Return the rules of the tables and of what kinds name beside them.

    Raises:
        ValueError: two kinds name different places for one figure.
    """
    return (*tabled(kinds), *(_of_offer(*figure, offer) for figure, offer in all_offers(kinds).items()))


def _of_offer(service: str, dimension: str, offer: Offer) -> Rule:
    """Return the rule for what an offer names: values in braces are parts of the usage type."""
    usage = re.escape(offer.usage)
    for name in offer.named:
        usage = usage.replace(re.escape("{" + name + "}"), f"(?P<{name}>.+)")
    fixed = tuple(one for one in offer.filters if not any("{" + name + "}" in one[1] for name in offer.named))
    attributes = tuple((name, _named(name, offer)) for name in offer.named) or tuple(
        (name, constant(value)) for name, value in offer.attributes
    )
    return Rule(
        offer.service_code,
        service,
        dimension,
        offer.unit,
        per(offer.published),
        tuple((name.lower(), frozenset({word})) for name, word in fixed),
        re.compile(f"{ANY_REGION}(?i:{usage})"),
        attributes,
        offer.begins,
    )


def _named(name: str, offer: Offer) -> Word:
    """Return the value of an attribute: as a field spells it, and the usage type must be the one that it makes."""
    field = next((one for one, word in offer.filters if word == "{" + name + "}"), "")

    def value(row: Row, parts: Mapping[str, str]) -> str:
        spelled = row(field.lower()) if field else parts[name]
        return spelled if spelled.casefold() == parts.get(name, spelled).casefold() else ""

    return value
