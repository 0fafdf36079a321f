"""What texts of an exact form may be, in words: who sends another one learns what to write, and no pattern."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from finops.errors import InvalidInput

_ACCOUNT: Final = "the twelve digits of an account id"
_NAMESPACE: Final = "the name of a namespace: lower-case letters, digits and hyphens, such as team-a"
FORMS: Final[Mapping[str, str]] = {
    r"^(all|account|region|service|tag:.{1,128})$": "all, account, region, service, or tag: and a key: tag:team",
    r"^[0-9]{12}$": _ACCOUNT,
    r"^([0-9]{12})?$": f"{_ACCOUNT}, or leave it out",
    r"^[a-z]{2,4}(-[a-z]{2,12}){1,3}-[0-9]{1,2}$|^global$": "a region of AWS, such as eu-west-1, or global",
    r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$": _NAMESPACE,
    r"^([0-9]{1,12}(\.[0-9]{1,6})?)?$": "an amount in US dollars with a point and no sign, such as 12.50",
    r"^[0-9]{1,12}(\.[0-9]{1,2})?$": "an amount in US dollars with at most two places, such as 12.50",
    r"^[!-~]+$": "the id that AWS gives it: letters, digits and signs of ASCII without spaces",
    r"^(arn:[!-~]*)?$": "an ARN, which begins with arn: and has no spaces, or leave it out",
    r"^[A-Za-z0-9._-]{0,64}$": "at most 64 letters, digits, points, hyphens and underscores",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": "a kind in the words of the list: lower-case letters and digits joined by hyphens",
    r"^([1-9][0-9]{0,14}|[A-Za-z_-][A-Za-z0-9_-]*)$": "a sequence from 1 on, or the meta.next of the page before",
}
"""Pattern → what to write; a test finds every pattern of the API here."""
_ENTRY: Final = re.compile(r"\[(\d+)\]\.?(.*)")
_MEMBER: Final = re.compile(r"<[\w.]+: ('[^']*')>")
_VERBS: Final = ("is ", "are ", "has ", "of ", "must ", "cannot ", "names ", "does ")


def one_of(field: str, text: str, allowed: Iterable[str]) -> str:
    """Return what a filter of an address says, in whatever case, empty where nothing is asked for.

    Raises:
        InvalidInput: it is none of the values allowed; a list without any row would say that nothing has it.
    """
    wanted, values = text.strip(), tuple(allowed)
    if wanted and wanted.lower() not in {one.lower() for one in values}:
        *others, last = (f"'{one}'" for one in values)
        hint = f"write {', '.join(others)} or {last}"
        raise InvalidInput("is not one of the values allowed", field=field, hint=hint)
    return wanted


def form_in_words(pattern: str) -> str:
    """Return what to write where a text has to fit a pattern."""
    return FORMS.get(pattern, f"a text that fits {pattern}")


def without_members(text: str) -> str:
    """Return the values of an enumeration as people write them, where Python's word for each stands."""
    return _MEMBER.sub(r"\1", text)


def place_in_words(field: str) -> str:
    """Return where a field is: `[1].size_gb` is `size_gb of entry 2 of the list`."""
    found = _ENTRY.fullmatch(field)
    if found is None:
        return field
    entry = f"entry {int(found[1]) + 1} of the list"
    return f"{found[2]} of {entry}" if found[2] else entry


def problem_of(field: str, message: str) -> str:
    """Return what is wrong with a field as a sentence that names it; the message alone where there is no field."""
    if not field:
        return message
    return f"{place_in_words(field)}{'' if message.startswith(_VERBS) else ':'} {message}"
