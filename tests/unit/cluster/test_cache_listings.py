"""A watch shows what it lists bit by bit and tells nothing of what vanished: sometimes everything has to be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.unit.cluster.test_canary_and_cache import raw

from finops.crds.scan_policy import ScanPolicy
from finops.errors import ClusterUnavailable
from finops_operator.cluster.cache import ClusterCache, KindCache


def parsed(version: str, name: str = "p", **more: Any) -> ScanPolicy:
    return ScanPolicy.from_object(raw(version, name=name, **more))


def policies(*held: ScanPolicy) -> KindCache[ScanPolicy]:
    """Return a kind of which `held` was read."""
    kept = ClusterCache().policies
    kept.read(lambda _: held)
    return kept


def complete(kept: KindCache[ScanPolicy]) -> bool:
    return kept.is_complete


def names(kept: KindCache[ScanPolicy]) -> list[str]:
    return sorted(one.metadata.name for one in kept.all())


def reading(during: Callable[[], None], *found: ScanPolicy) -> Callable[[str | None], Iterator[ScanPolicy]]:
    """Return an API server that answers `found`, with something happening before the answer arrives."""

    def read(_: str | None) -> Iterator[ScanPolicy]:
        during()
        yield from found

    return read


def test_nothing_is_complete_before_it_was_read_whatever_the_watch_has_shown() -> None:
    kept = ClusterCache().policies
    kept.saw(raw("7"), listed=True)
    assert not complete(kept)

    kept.read(lambda _: (parsed("7"), parsed("8", "q")))

    assert complete(kept)
    assert names(kept) == ["p", "q"]


def test_the_list_at_the_start_costs_one_more_reading_however_long_it_is() -> None:
    found = [parsed(str(number), f"p{number}") for number in range(20)]
    kept = policies(*found)

    kept.saw(found[0].to_object(), listed=True)
    assert not complete(kept)
    kept.read(lambda _: found)
    for one in found[1:]:
        kept.saw(one.to_object(), listed=True)

    assert complete(kept)


def test_a_watch_that_lists_again_may_have_missed_what_vanished() -> None:
    kept = policies(parsed("7"), parsed("8", "q"))
    kept.saw(raw("7"), listed=True)
    kept.saw(raw("8", name="q"), listed=True)
    kept.read(lambda _: (parsed("7"), parsed("8", "q")))

    kept.saw(raw("7"), listed=True)

    assert not complete(kept)
    kept.read(lambda _: (parsed("7"),))
    assert complete(kept)
    assert names(kept) == ["p"]


def test_news_in_a_list_mean_that_there_may_be_more_of_them() -> None:
    kept = policies(parsed("7"))
    kept.saw(raw("7"), listed=True)
    kept.read(lambda _: (parsed("7"),))

    kept.saw(raw("9", name="q"), listed=True)

    assert not complete(kept)


def test_ordinary_events_leave_the_picture_complete() -> None:
    kept = policies(parsed("7"))

    kept.saw(raw("8", suspend=True))
    kept.saw(raw("9", name="q"))
    kept.saw(raw("10", name="q"), deleted=True)

    assert complete(kept)
    assert names(kept) == ["p"]


def test_what_happens_while_everything_is_read_is_not_undone_by_the_answer() -> None:
    kept = policies(parsed("5", "changed"), parsed("6", "deleted"), parsed("7", "gone"))

    def meanwhile() -> None:
        kept.saw(raw("11", name="changed", suspend=True))
        kept.saw(raw("12", name="deleted"), deleted=True)
        kept.put(parsed("13", "made"))

    kept.read(reading(meanwhile, parsed("5", "changed"), parsed("6", "deleted")))

    assert names(kept) == ["changed", "made"]
    changed = kept.get("team-a", "changed")
    assert changed is not None
    assert changed.spec.suspend is True


def test_a_list_that_begins_while_everything_is_read_needs_another_reading() -> None:
    kept = ClusterCache().policies

    kept.read(reading(lambda: kept.saw(raw("7"), listed=True), parsed("7")))
    assert not complete(kept)

    kept.read(lambda _: (parsed("7"),))
    assert complete(kept)


def test_a_reading_that_fails_changes_nothing() -> None:
    kept = ClusterCache().policies
    kept.put(parsed("7"))

    def silent(_: str | None) -> Iterator[ScanPolicy]:
        yield parsed("8", "q")
        raise ClusterUnavailable("nobody answers")

    with pytest.raises(ClusterUnavailable):
        kept.read(silent)

    assert not complete(kept)
    assert names(kept) == ["p"]


def test_exactly_the_watched_namespaces_are_read_and_accounts_have_none() -> None:
    cache, asked = ClusterCache(), list[str | None]()

    def read(namespace: str | None) -> tuple[Any, ...]:
        asked.append(namespace)
        return ()

    cache.watches(["team-a", "team-b"])
    cache.approvals.read(read)
    cache.accounts.read(read)

    assert asked == ["team-a", "team-b", None]


def test_late_events_of_an_object_do_not_touch_the_next_one_of_its_name() -> None:
    kept = policies(parsed("5", uid="first"))
    kept.saw(raw("9", uid="second"))

    kept.saw(raw("7", uid="first", suspend=True))
    kept.saw(raw("8", uid="first"), deleted=True)

    (left,) = kept.all()
    assert (left.metadata.uid, left.spec.suspend) == ("second", False)


def own(name: str, version: str, namespace: str = "team-a") -> dict[str, Any]:
    document = raw(version, name=name, uid=f"uid-{name}")
    document["metadata"]["namespace"] = namespace
    return document


def answers(**names: str) -> Callable[[str | None], list[ScanPolicy]]:
    """Return an API server with policies by namespace, a and b; each name is one policy."""

    def read(where: str | None) -> list[ScanPolicy]:
        return [ScanPolicy.from_object(own(name, "5", str(where))) for name in names[str(where)].split()]

    return read


def test_a_namespace_that_lists_again_is_noticed_whatever_another_has_listed() -> None:
    kept = ClusterCache().policies
    kept.namespaces = ("a", "b")
    for name in ("a1", "b1", "b2"):
        kept.saw(own(name, "5", name[0]), listed=True)
    kept.read(answers(a="a1", b="b1 b2"))
    kept.saw(own("a1", "5", "a"), listed=True)
    assert (kept.is_complete_in("a"), kept.is_complete_in("b")) == (False, True)
    kept.read(answers(a="a1", b="b1 b2"))

    kept.saw(own("b1", "5", "b"), listed=True)

    assert (kept.is_complete_in("a"), kept.is_complete_in("b")) == (True, False)
    kept.read_in("b", answers(b="b1"))
    assert complete(kept)
    assert names(kept) == ["a1", "b1"]


def test_a_watch_that_lists_again_is_noticed_when_nothing_of_its_last_listing_is_left() -> None:
    kept = policies()
    kept.saw(own("x", "5"), listed=True)
    kept.read(lambda _: [ScanPolicy.from_object(own("x", "5"))])
    kept.saw(own("y", "6"))
    kept.saw(own("z", "7"))
    kept.saw(own("x", "8"), deleted=True)
    assert complete(kept)

    kept.saw(own("y", "6"), listed=True)

    assert not complete(kept)


def test_a_namespace_that_cannot_be_read_leaves_the_picture_of_the_others_complete() -> None:
    kept = ClusterCache().policies
    kept.namespaces = ("a", "b")
    kept.put(ScanPolicy.from_object(own("b1", "5", "b")))

    kept.read_in("a", answers(a="a1"))

    assert (kept.is_complete, kept.is_complete_in("a"), kept.is_complete_in("b")) == (False, True, False)
    assert kept.unread() == ("b",)
    assert not kept.is_complete_in("c")
    assert names(kept) == ["a1", "b1"]
