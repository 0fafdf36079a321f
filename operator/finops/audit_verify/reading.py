"""Reads the lines of an export: form, hash and signature of each, in order.

Checking a signature takes longer than everything else together, and the library does it without holding Python's lock.
So the signatures of many lines are checked at one go, by as many threads as there are processors; nothing else runs
meanwhile, since other Python code would take the lock from them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from typing import Any

from finops.audit_verify.form import NotARecord, parse
from finops.audit_verify.signatures import Keys

_TOGETHER = 2_000
"""Lines whose signatures are checked at one go; an export with fewer starts no thread."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of an export.

    Attributes:
        number: counted from 1.
        digest: hash of the record, empty when the line holds none.
        record: its fields, empty when the line holds none.
        signature: as written, not checked.
        wrong: why the line holds no record, empty when it does.
    """

    number: int
    digest: str
    record: dict[str, Any]
    signature: str
    wrong: str = ""


def read(lines: Iterable[str | bytes], keys: Keys | None) -> Iterator[tuple[Line, str]]:
    """Yield each line and what is wrong with its signature; nothing is, where nobody gave keys.

    Two thousand lines are held.
    """
    parsed = (_line(number, raw) for number, raw in enumerate(lines, start=1))
    if keys is None:
        yield from ((line, "") for line in parsed)
        return
    first = list(islice(parsed, _TOGETHER))
    if len(first) < _TOGETHER:
        yield from zip(first, _problems(keys, first), strict=True)
        return
    yield from _read_many(first, parsed, keys)


def _read_many(first: list[Line], parsed: Iterator[Line], keys: Keys) -> Iterator[tuple[Line, str]]:
    threads = os.cpu_count() or 1
    with ThreadPoolExecutor(threads, thread_name_prefix="signatures") as pool:
        some = first
        while some:
            share = -(-len(some) // threads)
            parts = [some[start : start + share] for start in range(0, len(some), share)]
            yield from zip(some, chain.from_iterable(pool.map(partial(_problems, keys), parts)), strict=True)
            some = list(islice(parsed, _TOGETHER))


def _line(number: int, raw: str | bytes) -> Line:
    try:
        text = raw.decode("utf-8", errors="surrogatepass") if isinstance(raw, bytes) else raw
        return Line(number, *parse(text.removesuffix("\n")))
    except (NotARecord, UnicodeDecodeError) as error:
        return Line(number, "", {}, "", str(error))


def _problems(keys: Keys, lines: Sequence[Line]) -> list[str]:
    return ["" if one.wrong else keys.problem(one.record["key"], one.digest, one.signature) for one in lines]
