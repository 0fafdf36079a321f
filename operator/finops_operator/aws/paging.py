"""How an operation pages, from the SDK's own models; made by `SdkSessions`, used by `reader.py`.

The SDK describes for 3,500 operations which parameter takes the token, which members of an answer hold it and which
hold the items (`paginators-1.json`). We follow the same descriptions, but send the requests ourselves (ADR 0006), and
where the SDK ends without a word we end with an error: an answer that says there is more, and does not say how to ask
for it, would otherwise pass for a complete list, and whatever is not on it for gone.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Final

import jmespath
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.model import OperationModel, ServiceModel
from botocore.utils import set_value_from_jmespath

_NOT_ALIKE: Final = re.compile(
    r"(client|grant|request|idempotency|session|access|update|upload|creation)\w*token", re.IGNORECASE
)
_TOKEN: Final = re.compile(
    r"^(next\w*(token|marker|key|page|position|offset|index)|lastevaluated\w+|\w*(token|marker))$", re.IGNORECASE
)
_TRUNCATED: Final = re.compile(r"^(\w*istruncated|hasmore\w*|truncated|moreresults\w*)$", re.IGNORECASE)
_BOTH_WAYS: Final = frozenset({"nexttoken", "nextpagetoken", "paginationtoken"})
"""Members that mean the same in a request and in its answer, lower case; operations without a model page by them."""
_MODEL: Final = "paginators-1"


class UnknownPaging(Exception):
    """An answer says that there is more, and nothing says how to ask for it."""


@dataclass(frozen=True, slots=True)
class Paging:
    """The paging of one operation; an operation that never pages has no `inputs`."""

    inputs: tuple[str, ...] = ()
    """Request parameters that take the tokens, in the order of `outputs`."""
    outputs: tuple[Any, ...] = ()
    """Compiled expressions that find the tokens in an answer."""
    more: Any = None
    """Compiled expression that finds the flag of a truncated answer, where the operation has one."""
    results: tuple[str, ...] = ()
    """Dotted paths of what the pages bring in parts."""
    unexplained: tuple[str, ...] = ()
    """Dotted paths of what means "there is more" when it is set, and what no model explains."""

    def following(self, page: Mapping[str, Any]) -> dict[str, Any]:
        """Return the parameters that ask for the page after `page`, empty at the end; None removes a parameter.

        Raises:
            UnknownPaging: the answer goes on in a way that is not described.
        """
        # Some services send an empty string at the end.
        tokens = {
            name: expression.search(page) or None for name, expression in zip(self.inputs, self.outputs, strict=True)
        }
        given = any(token is not None for token in tokens.values())
        truncated = None if self.more is None else self.more.search(page)
        if truncated and not given:
            raise UnknownPaging(f"{self.more.expression} is set and no token with it")
        # Where the flag is left out, the token alone decides.
        if given and (truncated is None or truncated):
            return tokens
        for path in self.unexplained:
            if jmespath.search(path, page):
                raise UnknownPaging(f"{path} is set, and no paging of this operation is known")
        return {}

    def joined(self, pages: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
        """Return the pages as one answer: results one after the other, all else as the first page has it."""
        answer: dict[str, Any] = {}
        found: dict[str, Any] = {}
        for number, page in enumerate(pages):
            if number == 0:
                answer = deepcopy({name: value for name, value in page.items() if name != "ResponseMetadata"})
            for path in self.results:
                value = jmespath.search(path, page)
                if value is not None:
                    found[path] = value if path not in found else found[path] + value
        for path, value in found.items():
            set_value_from_jmespath(answer, path, value)
        # What is complete does not say how to go on.
        for expression in (*self.outputs, *(() if self.more is None else (self.more,))):
            parent, _, name = str(expression.expression).rpartition(".")
            holder = jmespath.search(parent, answer) if parent.isidentifier() else answer
            if isinstance(holder, dict):
                holder.pop(name, None)
        return answer


@dataclass(slots=True)
class PagingModels:
    """Reads the descriptions out of the SDK's data by its loader, each operation's once; shared by all threads."""

    loader: Any
    _known: dict[str, Paging] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, operation: str) -> Paging:
        """Return how `operation` (`service:Operation`, the service as the SDK names its client) pages.

        Raises:
            botocore.exceptions.BotoCoreError, botocore.model.OperationNotFoundError: the SDK does not know it.
        """
        with self._lock:
            if operation not in self._known:
                service, _, name = operation.partition(":")
                self._known[operation] = self._read(service, name)
            return self._known[operation]

    def _read(self, service: str, name: str) -> Paging:
        model = ServiceModel(self.loader.load_service_model(service, "service-2"), service).operation_model(name)
        try:
            described = self.loader.load_service_model(service, _MODEL)["pagination"].get(name)
        except (DataNotFoundError, UnknownServiceError):
            described = None
        return _by_name(model) if described is None else _by_description(model, described)


def _by_description(model: OperationModel, described: Mapping[str, Any]) -> Paging:
    outputs = _listed(described["output_token"])
    more = described.get("more_results")
    explained = {re.split(r"\W", path, maxsplit=1)[0] for path in (*outputs, *_listed(more))}
    return Paging(
        inputs=_listed(described["input_token"]),
        outputs=tuple(jmespath.compile(path) for path in outputs),
        more=None if more is None else jmespath.compile(more),
        results=_listed(described.get("result_key")),
        # A bare Marker beside a NextMarker is the one that was sent.
        unexplained=tuple(
            path for path in _continuation_paths(model) if path.partition(".")[0] not in explained and _leads_on(path)
        ),
    )


def _by_name(model: OperationModel) -> Paging:
    takes = set() if model.input_shape is None else set(model.input_shape.members)
    paths = _continuation_paths(model)
    leading = tuple(path for path in paths if _leads_on(path)) or paths
    both = next((name for name in paths if name.lower() in _BOTH_WAYS and name in takes), None)
    if both is None:
        return Paging(unexplained=leading)
    lists = tuple(name for name, shape in model.output_shape.members.items() if shape.type_name == "list")
    rest = tuple(path for path in leading if path != both)
    return Paging((both,), (jmespath.compile(both),), results=lists, unexplained=rest)


def _continuation_paths(model: OperationModel) -> tuple[str, ...]:
    """Return the dotted paths in an answer that may say that there is more, at the top or one structure below it."""
    found: list[str] = []
    members = {} if model.output_shape is None else model.output_shape.members
    for name, shape in members.items():
        if _marks_continuation(name, shape):
            found.append(name)
        elif shape.type_name == "structure":
            found += (f"{name}.{inner}" for inner, below in shape.members.items() if _marks_continuation(inner, below))
    return tuple(found)


def _marks_continuation(name: str, shape: Any) -> bool:
    if _TRUNCATED.match(name):
        return bool(shape.type_name == "boolean")
    return _TOKEN.match(name) is not None and not _NOT_ALIKE.match(name) and shape.type_name != "timestamp"


def _leads_on(path: str) -> bool:
    name = path.rpartition(".")[2]
    return name.lower().startswith(("next", "lastevaluated")) or _TRUNCATED.match(name) is not None


def _listed(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
