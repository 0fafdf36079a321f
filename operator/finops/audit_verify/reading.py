"""Reads the lines of an export: form, hash and signature of each, in order.

Checking a signature takes longer than everything else together, and the library does it without holding Python's lock.
So the signatures of many lines are checked at one go, by as many threads as there are processors; nothing else runs
meanwhile, since other Python code would take the lock from them.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

from finops.audit_verify.form import NotARecord, parse
from finops.audit_verify.signatures import Keys

TOGETHER = 2_000
"""Lines whose signatures are checked at one go; an export with fewer starts no thread."""


class Line(NamedTuple):
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
    parsed = (line_of(number, raw) for number, raw in enumerate(lines, start=1))
    if keys is None:
        yield from ((line, "") for line in parsed)
        return
    while some := list(islice(parsed, TOGETHER)):
        yield from zip(some, problems_of_signatures(keys, some), strict=True)


def problems_of_signatures(keys: Keys, lines: Sequence[Line]) -> list[str]:
    """Return what is wrong with the signature of each line, empty where nothing is; of a line without record, nothing.

    Of fewer than `TOGETHER` lines no thread is started.
    """
    if len(lines) < TOGETHER:
        return problems_of(keys, lines)
    threads = os.cpu_count() or 1
    share = -(-len(lines) // threads)
    parts = [lines[start : start + share] for start in range(0, len(lines), share)]
    with ThreadPoolExecutor(threads, thread_name_prefix="signatures") as pool:
        return list(chain.from_iterable(pool.map(partial(problems_of, keys), parts)))


def line_of(number: int, raw: str | bytes) -> Line:
    """Return what a line holds, or why it holds no record."""
    try:
        text = raw.decode("utf-8", errors="surrogatepass") if isinstance(raw, bytes) else raw
        return Line(number, *parse(text.removesuffix("\n")))
    except (NotARecord, UnicodeDecodeError) as error:
        return Line(number, "", {}, "", str(error))


def problems_of(keys: Keys, lines: Sequence[Line]) -> list[str]:
    """Return what `problems_of_signatures` does, without a thread."""
    return ["" if one.wrong else keys.problem(one.record["key"], one.digest, one.signature) for one in lines]
