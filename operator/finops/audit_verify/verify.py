"""Walks an export once, line by line, in memory that does not grow with it, and reports everything that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from finops.audit_verify import checkpoints
from finops.audit_verify.calls import DUPLICATE
from finops.audit_verify.form import NotARecord
from finops.audit_verify.freezes import Freezes
from finops.audit_verify.merkle import Tree
from finops.audit_verify.names import Names
from finops.audit_verify.pauses import Pauses
from finops.audit_verify.processes import read_by
from finops.audit_verify.proposals import Proposals, name_of
from finops.audit_verify.reading import Line
from finops.audit_verify.report import Problem, VerifyReport
from finops.audit_verify.shelf import REQUESTS_NEAR, Shelf
from finops.audit_verify.signatures import Keys
from finops.audit_verify.story import RequestStory
from finops.audit_verify.terms import Terms
from finops.audit_verify.undo import Undos
from finops.audit_verify.vouching import Vouching
from finops.audit_verify.words import Words

_GENESIS = "0" * 64


@dataclass(slots=True)
class _Signers:
    """Who signs.

    Attributes:
        key: the key of the last record.
        replaced: key → record that says it was replaced; from there on its signatures count for nothing.
    """

    key: str = ""
    replaced: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Grown:
    """The tree over the records so far, accepted losses, warnings, and up to which record the end is known."""

    tree: Tree = field(default_factory=Tree)
    losses: list[str] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)
    end_known: int = 0


@dataclass(slots=True)
class _Requests:
    """What is about requests: each by its name in the ledger, and what they have to do with each other.

    Attributes:
        stories: request → its story.
        words: what people ended.
        undos: which act each undo leads back.
        pauses: of which kinds acts wait.
        terms: on what terms each act was approved.
        open: place of each request that has calls without a final outcome → its name.
        count: how many requests there are.
    """

    stories: Shelf[RequestStory] = field(default_factory=lambda: Shelf(REQUESTS_NEAR))
    words: Words = field(default_factory=Words)
    undos: Undos = field(default_factory=Undos)
    pauses: Pauses = field(default_factory=Pauses)
    freezes: Freezes = field(default_factory=Freezes)
    terms: Terms = field(default_factory=Terms)
    open: dict[int, str] = field(default_factory=dict)
    count: int = 0

    def check(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        proposed = record["kind"] == "proposed"
        named = self._named(record) if proposed else None
        story = self.stories.get(record["request"])
        if story is None:
            story = RequestStory(place=self.count)
            self.count += 1
            self.stories.put(record["request"], story)
        wrong = story.proposals.add(record, named) if proposed else []
        self.pauses.changed(record)
        # Asked before the story takes the intent in.
        stopped = self._stopped(record, story)
        found = [*wrong, *story.check(record), *self.undos.check(record), *stopped]
        if record["kind"] in {"intent", "outcome"}:
            self._follow_open(record["request"], story)
        return found

    def _follow_open(self, name: str, story: RequestStory) -> None:
        if story.calls.open_intents():
            self.open[story.place] = name
        else:
            self.open.pop(story.place, None)

    def open_intents(self) -> Iterator[str]:
        """Yield the operation ids of the intents without a final outcome, request by request as they came."""
        for _, name in sorted(self.open.items()):
            story = self.stories.get(name)
            if story is not None:
                yield from story.calls.open_intents()

    def _named(self, record: dict[str, Any]) -> Proposals | None:
        """Return what was proposed under the name of a request, None where the record itself is under that name."""
        name = name_of(record)
        known = self.stories.get(name) if name else None
        return None if known is None else known.proposals

    def doubts(self, record: dict[str, Any]) -> list[tuple[str, str]]:
        """Return (code, message) of what a person should check of an approval that was checked last."""
        story = self.stories.get(record["request"]) if record["result"] == "Approved" else None
        decision = None if story is None else story.decisions.get(record["planHash"])
        if story is None or decision is None or decision.detail is not record["detail"]:
            return []
        act = story.proposals.act
        easier = self.terms.doubt(record, act) if act else ""
        return [*(("People", one) for one in decision.doubts), *_named("Terms", easier)]

    def _stopped(self, record: dict[str, Any], story: RequestStory) -> list[tuple[str, str]]:
        what = story.needs_permission(record)
        if not what:
            return []
        name = record["request"]
        paused = "" if self.undos.is_undo(name) else self.pauses.problem(what, story.scope(record["planHash"]), name)
        return [*_named("Pause", paused), *_named("Freeze", self.freezes.problem(what))]


def _named(code: str, message: str) -> list[tuple[str, str]]:
    return [(code, message)] if message else []


@dataclass(slots=True)
class _Walk:
    sequence: int = 0
    head: str = _GENESIS
    fence: int = 0
    names: Names = field(default_factory=Names)
    requests: _Requests = field(default_factory=_Requests)
    problems: list[Problem] = field(default_factory=list)
    signers: _Signers = field(default_factory=_Signers)
    grown: _Grown = field(default_factory=_Grown)
    duplicates: dict[tuple[int, str], Problem] = field(default_factory=dict)
    """(sequence, hash) of a repeated outcome → the problem it is until it is corrected."""
    vouching: Vouching | None = None


def verify(
    lines: Iterable[str | bytes],
    *,
    keys: Keys | None = None,
    expected_head: str | None = None,
    expected_records: int | None = None,
    kept: Iterable[str] = (),
    every_signature: bool = True,
    processes: int = 0,
) -> VerifyReport:
    """Verify an export or the ledger's file.

    Args:
        lines: with or without their newlines.
        keys: whose signatures count; None leaves the signatures unchecked, and then whoever can write the export can
            have made all of it.
        expected_head: hash of the last record as noted earlier; the chain must contain it. Without it a tail that was
            cut off, or a ledger rewritten as a whole, cannot be seen.
        expected_records: there must be at least this many.
        kept: texts of checkpoints that were kept outside of the ledger, as they were signed or as the line in a thread
            of Slack, which must hold for it: they show a tail that was cut off and a ledger that was replaced.
        every_signature: check each signature on its own, also of records that a signed checkpoint covers.
        processes: how many to start where there are many lines, each with some 30 MB of memory; 0 starts none.

    Raises:
        OSError: the temporary file for what a large ledger needs remembered cannot be used, or a process cannot.
    """
    kept = tuple(kept)
    walk = _Walk(vouching=None if every_signature or keys is None else Vouching.of(keys, kept))
    seen_head = expected_head in (None, _GENESIS)
    for line, wrong in read_by(processes, lines, keys if walk.vouching is None else None):
        _line(walk, line, wrong, keys)
        if expected_head is not None and walk.head == expected_head != _GENESIS:
            seen_head, walk.grown.end_known = True, walk.grown.tree.size
    if walk.vouching is not None:
        _signatures(walk, walk.vouching.rest())
        # Some signatures were checked later than their lines were read.
        walk.problems.sort(key=lambda one: one.line)
    if not seen_head:
        walk.problems.append(Problem(0, "Head", f"no record has the expected hash {expected_head}: a tail is missing"))
    if expected_records is not None:
        _expected_records(walk, expected_records)
    for text in kept:
        _kept_checkpoint(walk, text, keys)
    walk.problems.extend(walk.duplicates.values())
    if keys is not None:
        walk.grown.warnings.extend(_older_key(walk.signers.key, keys, kept))
    return _report(walk, is_signed=keys is not None)


def _expected_records(walk: _Walk, expected: int) -> None:
    size = walk.grown.tree.size
    if size < expected:
        walk.problems.append(Problem(0, "Size", f"{size} records where {expected} were expected"))
    else:
        walk.grown.end_known = max(walk.grown.end_known, expected)


def _older_key(last: str, keys: Keys, kept: tuple[str, ...]) -> list[Problem]:
    """Return the doubt about an export in which the newest key given signed nothing: an older key may be a thief's.

    A line that people noted counts by where it was kept, and so does a checkpoint by that key.
    """
    if last in {"", keys.newest} or any(_is_by(text, keys.newest) for text in kept):
        return []
    which = f"the last record is signed by key {last}, and the newest of those given, {keys.newest}, signed nothing"
    why = "the export is from before that key, or made by whoever has the older one"
    return [Problem(0, "Key", f"{which}: {why}; a checkpoint by the newest key shows which (keys: oldest first)")]


def _is_by(text: str, key: str) -> bool:
    if checkpoints.is_noted(text):
        return True
    try:
        return bool(checkpoints.read(text)["key"] == key)
    except NotARecord:
        return False


def _report(walk: _Walk, *, is_signed: bool) -> VerifyReport:
    intents = tuple(walk.requests.open_intents())
    return VerifyReport(
        walk.grown.tree.size,
        walk.sequence,
        walk.head,
        tuple(walk.problems),
        intents,
        is_signed,
        tuple(walk.grown.losses),
        walk.vouching.covered if walk.vouching else 0,
        tuple(walk.grown.warnings),
        walk.grown.end_known,
    )


def _line(walk: _Walk, line: Line, wrong: str, keys: Keys | None) -> None:
    number, digest, record = line.number, line.digest, line.record
    if line.wrong:
        walk.problems.append(Problem(number, "Form", line.wrong))
        return
    if wrong:
        _signatures(walk, [(line, wrong)])
    if record["kind"] == "checkpoint":
        _checkpoint(walk, number, record, keys)
    _chain(walk, number, digest, record)
    walk.grown.tree.add(digest)
    if walk.vouching is not None:
        _signatures(walk, walk.vouching.add(walk.grown.tree.size, line))
    _follow_key(walk, number, record)
    if record["request"]:
        _request(walk, number, digest, record)
    elif record["kind"] == "frozen":
        walk.requests.freezes.turned(record)
    elif record["kind"] in {
        "acts paused",
        "acts resumed",
        "snoozed",
        "woken",
        "act denied",
        "intent",
        "outcome",
        "verified",
        "decided",
        "voted",
        "proposed",
        "undone",
        "watched",
    }:
        walk.problems.append(Problem(number, "Form", f"{record['kind']} record that names no request"))


def _request(walk: _Walk, number: int, digest: str, record: dict[str, Any]) -> None:
    for code, message in walk.requests.check(record):
        problem = Problem(number, code, message)
        if code == DUPLICATE:
            walk.duplicates[record["sequence"], digest] = problem
        else:
            walk.problems.append(problem)
    if record["kind"] == "decided":
        walk.grown.warnings.extend(Problem(number, *one) for one in walk.requests.doubts(record))
    if record["kind"] == "corrected":
        _correct(walk, number, record)
    wrong = walk.requests.words.problem(record)
    if wrong:
        walk.problems.append(Problem(number, "Word", wrong))


def _signatures(walk: _Walk, found: Iterable[tuple[Line, str]]) -> None:
    for line, wrong in found:
        walk.problems.append(Problem(line.number, "Signature", f"record {line.record['sequence']}: {wrong}"))


def _checkpoint(walk: _Walk, number: int, record: dict[str, Any], keys: Keys | None) -> None:
    """A checkpoint in the ledger covers records before it; of a loss that was accepted it names what was left."""
    if record["result"] == "accepted":
        loss, wrong = checkpoints.accepted_loss(record["detail"], walk.grown.tree)
        walk.grown.losses.append(f"record {record['sequence']}: {loss}")
    else:
        wrong = checkpoints.problem(record["detail"], walk.grown.tree, keys)
        if walk.vouching is not None and not wrong:
            walk.vouching.cover(record["detail"])
    if wrong:
        walk.problems.append(Problem(number, "Checkpoint", f"record {record['sequence']}: {wrong}"))


def _kept_checkpoint(walk: _Walk, text: str, keys: Keys | None) -> None:
    noted = checkpoints.read_noted(text)
    if noted is not None:
        wrong = checkpoints.problem_of_noted(*noted, walk.grown.tree)
        if wrong:
            walk.problems.append(Problem(0, "Checkpoint", f"the checkpoint of {noted[0]} records: {wrong}"))
        else:
            walk.grown.end_known = max(walk.grown.end_known, noted[0])
        return
    try:
        document = checkpoints.read(text)
    except NotARecord as error:
        walk.problems.append(Problem(0, "Checkpoint", f"what was kept is no checkpoint: {error}"))
        return
    wrong = checkpoints.problem(document, walk.grown.tree, keys)
    replaced = walk.signers.replaced.get(document["key"])
    if not wrong and replaced is not None and document["size"] >= replaced:
        wrong = f"it is signed by key {document['key']}, which was replaced at record {replaced}"
    if wrong:
        walk.problems.append(Problem(0, "Checkpoint", f"the checkpoint of {document['size']} records: {wrong}"))
    else:
        walk.grown.end_known = max(walk.grown.end_known, document["size"])


def _correct(walk: _Walk, number: int, record: dict[str, Any]) -> None:
    number_named, hash_named = record["detail"].get("record"), record["detail"].get("hash")
    known = type(number_named) is int and isinstance(hash_named, str)
    if not known or walk.duplicates.pop((number_named, hash_named), None) is None:
        walk.problems.append(Problem(number, "Correction", "a correction of something that is no repeated outcome"))


def _follow_key(walk: _Walk, number: int, record: dict[str, Any]) -> None:
    """A key is followed by another one only where a record says so, and a key that was replaced never comes back."""
    key, before = record["key"], walk.signers.key
    signed = f"record {record['sequence']} is signed by key {key!r}"
    if key in walk.signers.replaced:
        walk.problems.append(
            Problem(number, "Key", f"{signed}, which was replaced at record {walk.signers.replaced[key]}")
        )
        return
    if before not in {"", key}:
        if record["kind"] != "key changed" or record["detail"] != {"from": before, "to": key}:
            walk.problems.append(Problem(number, "Key", f"{signed}, and no record says that it follows key {before!r}"))
        walk.signers.replaced[before] = record["sequence"]
    walk.signers.key = key


def _chain(walk: _Walk, number: int, digest: str, record: dict[str, Any]) -> None:
    def wrong(code: str, message: str) -> None:
        walk.problems.append(Problem(number, code, message))

    if record["sequence"] != walk.sequence + 1:
        wrong("Sequence", f"record {record['sequence']} follows record {walk.sequence}")
    if record["previousHash"] != walk.head:
        wrong("Chain", f"record {record['sequence']} does not name the hash of the record before it")
    if record["fence"] < walk.fence:
        wrong(
            "Fence", f"fence {record['fence']} after fence {walk.fence}: written by a process that had lost the lease"
        )
    # Before the object exists its request has a name but no uid yet: such records are linked by the whole chain alone.
    request = record["request"].rpartition("/")[2]
    before = walk.names.follow(request, record["sequence"]) if request else 0
    if record["requestPrevious"] != before:
        wrong("Chain", f"record {record['sequence']} does not name record {before}, the last of its request")
    earlier = walk.names.first(record["operationId"], record["sequence"])
    if earlier != record["sequence"]:
        wrong("Operation", f"operation {record['operationId']} stands already in record {earlier}")
    walk.sequence, walk.head = record["sequence"], digest
    walk.fence = max(walk.fence, record["fence"])
