"""What `finops explain` says of one recommendation, in words and units; the command prints it.

Reads what the scan stored, so that it says the same as the card and the report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from finops.domain.money import CURRENCY, to_cents
from finops.domain.net_saving import net_in_words
from finops.domain.price import HOUR, Attributed, Cost, CostComponent, Price, missing_in_words
from finops.domain.quantity import words
from finops_operator.cli.listings import SHORT_ID, STATUS_WORDS, what_of
from finops_operator.cli.output import amount

_WORDS: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_MIB: Final = "Mib"
_DAY_HOURS: Final = 24
_NOW, _THEN = "current", "target"
_TYPE: Final = "currentType"
"""Where the checks' evidence has the type of the resource as it is now."""


def head_of(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield label and text of what stands first: what, why, whether it is ready, and the money."""
    resource = record["resource"]
    yield "what", _what(record)
    yield "why", record["summary"]
    yield "name", resource["name"]
    yield "resource", f"{resource['kind']} {resource['id']}"
    yield "where", f"{resource['account']} {resource['region']}"
    yield from _standing(record)
    yield from _changes(record["evidence"])
    yield "expect", str(record.get("expectation") or "")
    yield "performance risk", words(record.get("performanceRisk") or "")
    yield from _money(record)
    yield "preferred", _preference(record)
    yield "restart needed", "yes" if record["restartNeeded"] else "no"
    yield "can be undone", "yes" if record["rollbackPossible"] else "no"
    yield "deletes data", "yes" if record["destructive"] else ""
    yield "effort", words(record["effort"])
    yield "check", f"{record['check']} ({record['title']})" if record.get("title") else record["check"]
    yield "policy", record["policy"]
    yield "id", f"{record['id'][:SHORT_ID]} ({record['id']})"
    yield "documentation", str(record.get("documentation") or "")


def _what(record: Mapping[str, Any]) -> str:
    """Return the act in a few words; with the type of now where it is known: `resize m5.large → m5a.large`."""
    aim = str(record.get("target") or "")
    known = str(record["evidence"].get(_TYPE) or "") if aim else ""
    what = what_of(record["action"], record["actionType"], record["parameters"], aim)
    verb, arrow, target = what.partition(" → ")
    return f"{verb} {known}{arrow}{target}" if known else what


_IN_ONE_COLUMN: Final = frozenset({"performanceRisk", "migrationEffort", "platformDifferences", "notAllowed"})


def other_types(record: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the alternatives; what is said of a type beside its money stands in one column, to fit a terminal."""
    for one in record["alternatives"]:
        if "platformDifferences" not in one:
            yield dict(one)
            continue
        said = [f"effort {words(one['migrationEffort'])}", *one["platformDifferences"]]
        said += [f"not allowed: {one['notAllowed']}"] if one["notAllowed"] else []
        rest = {name: value for name, value in one.items() if name not in _IN_ONE_COLUMN}
        yield {**rest, "risk": words(one["performanceRisk"]), "differences": "; ".join(said)}


def price_lines(cost: Cost) -> list[dict[str, str]]:
    """Return each billed part with its unit price, source and date; then each part without a price."""
    lines = [
        {
            "part": one.dimension.replace("_", " ") + (", by use" if one.by_use else ""),
            "quantity": _quantity(one),
            "price": f"{one.price.amount:f} {one.price.currency} per {one.price.unit}",
            "month": amount(one.monthly),
            "source": _source(one.price),
        }
        for one in cost.components
    ]
    lines += [] if cost.attributed is None else _members(cost.attributed)
    missing = [text.partition(": ") for text in cost.missing]
    lines += [
        {"part": part.replace("_", " "), "quantity": "", "price": "", "month": "unknown", "source": why or part}
        for part, _, why in missing
    ]
    return lines


def _members(found: Attributed) -> list[dict[str, str]]:
    """Return what each member of a group costs."""
    if found.members is None:
        return [{"part": "members", "quantity": "", "price": "", "month": "unknown", "source": "not known which"}]
    return [
        {
            "part": f"member {name}",
            "quantity": "1",
            "price": "",
            "month": "unknown" if cost.monthly is None else amount(cost.monthly),
            "source": missing_in_words(cost.missing) if cost.price is None else _source(cost.price),
        }
        for name, cost in found.members
    ]


def _source(price: Price) -> str:
    number = f", SKU {price.sku}" if price.sku else ""
    return f"{price.source}, as of {price.as_of.isoformat()}{number}"


def evidence_lines(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return the evidence in words and units where the check gives them, else by the names of its figures."""
    facts = record.get("facts") or ()
    if facts:
        return [{"evidence": fact["label"], "value": fact["value"]} for fact in facts]
    return [{"evidence": _in_words(key), "value": str(value)} for key, value in record["evidence"].items()]


def hours_priced(cost: Cost) -> bool:
    """Return whether the month's hours matter for this cost."""
    members = () if cost.attributed is None else cost.attributed.members or ()
    parts = (*cost.components, *(part for _, one in members for part in one.components))
    return any(one.price.unit == HOUR or one.by_use for one in parts)


def _quantity(part: CostComponent) -> str:
    """Return how many units are billed; of a part by use what was measured, and in how long."""
    if part.used_in_hours is None:
        return f"{part.quantity.normalize():f}"
    days = f"{part.used_in_hours / _DAY_HOURS:.1f}".removesuffix(".0")
    return f"{part.quantity:,.2f} in {days} days"


def _standing(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "status", STATUS_WORDS.get(record["status"], record["status"])
    for block in record["blockedBy"]:
        yield "blocked by", f"{block['message']} ({block['code']})"
    yield "request", record["note"]
    yield "advice", record["advice"]
    if not record["counted"]:
        yield "not counted", "Better advice for the same resource, or for its group or members, counts instead."


def _changes(evidence: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield every figure that the check gives for now and for afterwards."""
    for key, now in evidence.items():
        what = key.removeprefix(_NOW)
        then = evidence.get(f"{_THEN}{what}")
        if not key.startswith(_NOW) or then is None:
            continue
        if what.endswith(_MIB):
            yield _in_words(what.removesuffix(_MIB)), f"{_from_to(_gib(now), _gib(then))} GiB"
        else:
            yield _in_words(what), _from_to(str(now), str(then))


def _from_to(now: str, then: str) -> str:
    """Return one figure for what stays as it is: `32`, else `8 → 4`."""
    return now if now == then else f"{now} → {then}"


def _gib(mib: Any) -> str:
    return f"{(Decimal(str(mib)) / 1024).normalize():f}"


def _money(record: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    attributes = record["attributes"]
    now, then, saving = record["currentMonthlyCost"], record["newMonthlyCost"], record["monthlySavings"]
    of_members = ", attributed: that of its members" if attributes.get("attributed") else ""
    of_members = of_members or (", with that of its members" if attributes.get("withMembers") else "")
    at_least = attributes.get("knownMonthlyCost") if now is None else None
    known = f"at least {amount(at_least)} {CURRENCY} a month{of_members}" if at_least else "unknown"
    yield "cost now", f"{amount(now)} {CURRENCY} a month{of_members}" if now is not None else known
    yield "cost then", f"{amount(then)} {CURRENCY} a month" if then is not None else "unknown"
    if saving is None:
        yield "saves", f"unknown: {attributes.get('noPriceReason') or 'a price is missing'}"
        return
    discount = Decimal(str(attributes.get("discountPercent") or 0))
    off = ""
    if discount and attributes.get("listMonthlySavings"):
        off = _discounted(Decimal(attributes["listMonthlySavings"]), Decimal(saving), discount)
    days = record["lastsDays"]
    often = f"once, in at most {days} days: then AWS undoes it by itself" if days else "a month"
    yield "saves", f"{amount(saving)} {CURRENCY} {often}{off}"
    at_list, net = _number(record.get("listMonthlySavings")), _number(record.get("netMonthlySavings"))
    yield "net of commitments", net_in_words(at_list, net, str(record.get("netNote") or ""), amount)


def _discounted(listed: Decimal, saving: Decimal, discount: Decimal) -> str:
    """Return what stands between the saving at list price and the one that is shown."""
    alone = to_cents(listed * (1 - discount / 100)) == saving
    off = f"the policy's discount of {discount:f} %"
    return f" ({amount(listed)} at list prices, less {off if alone else f'what commitments keep and {off}'})"


def _preference(record: Mapping[str, Any]) -> str:
    """Return why this target and not one of the others that fit; those that may not be carried out are no rivals."""
    rivals = [one for one in record["alternatives"] if not one.get("notAllowed") or not record["action"]]
    others = [saving for one in rivals if (saving := _number(one.get("monthlySavings"))) is not None]
    mine = _number(record["attributes"].get("listMonthlySavings"))
    if not others or mine is None:
        return ""
    best = max(others)
    if mine >= best:
        return f"It saves most of {len(others) + 1} targets that fit."
    return (
        f"Another target that fits would save {amount(best - mine)} {CURRENCY} more. The difference is small, and this "
        "one stays in the resource's family or is what the last scan advised."
    )


def _number(value: Any) -> Decimal | None:
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None


def _in_words(key: str) -> str:
    return _WORDS.sub(" ", key).replace("_", ".").lower()
