"""Resources that the double holds itself, as AWS describes them: moto lacks them, or changes what AWS refuses.

A family (`balancers`, …) says how its resources are described and what changes them. A place of the
estate that holds none of a family's resources is answered by moto, as ever. Every call happens under the estate's lock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from finops_sandbox.aws.clock import SandboxClock
from finops_sandbox.aws.errors import AwsError
from finops_sandbox.aws.estate_fields import known

PREFIX = "held:"
"""Of kind and name (`held:load-balancer/idle`) where a resource of any kind is named."""


@dataclass(frozen=True, slots=True)
class HeldSpec:
    """A resource: its kind, its name, and members of its description that are not the usual ones."""

    kind: str
    name: str
    members: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class HeldResource:
    """One resource as it is now.

    Attributes:
        described: what its service answers of it.
        further: what other calls answer of it, by their member.
        due: when and how its state changes next, where it does.
    """

    kind: str
    name: str
    described: dict[str, Any]
    further: dict[str, Any] = field(default_factory=dict)
    due: tuple[datetime, Callable[["HeldResource"], bool]] | None = None


@dataclass(frozen=True, slots=True)
class HeldCall:
    """One call with its parameters as the SDK names them."""

    account: str
    region: str
    model: str
    action: str
    parameters: Mapping[str, Any]
    clock: SandboxClock
    resources: dict[tuple[str, str], HeldResource]
    seconds: float

    def of(self, kind: str) -> list[HeldResource]:
        """Return the resources of one kind."""
        return [one for one in self.resources.values() if one.kind == kind]

    def find(self, kind: str, name: str, code: str, status: int = 400) -> HeldResource:
        """Return one resource. Raises AwsError with `code`: there is none of that name."""
        found = self.resources.get((kind, name))
        if found is None:
            raise AwsError(code, f"There is no {kind} named {name!r}.", status)
        return found


HeldHandler = Callable[[HeldCall], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Family:
    """Kinds of one service.

    Attributes:
        kinds: kind → (account, region, spec, time of creation) → the resource.
        handlers: `model:Operation` → answer; operations without one are moto's.
    """

    kinds: Mapping[str, Callable[[str, str, HeldSpec, datetime], HeldResource]]
    handlers: Mapping[str, HeldHandler]


Held = dict[tuple[str, str], dict[tuple[str, str], HeldResource]]
"""Account and region → kind and name → the resource."""


def held_spec(item: Mapping[str, Any], where: str) -> HeldSpec:
    """Return a resource of the document. Raises EstateError."""
    known(item, {"kind", "name", "members"}, f"{where}, held {item.get('name')}")
    return HeldSpec(str(item["kind"]), str(item["name"]), dict(item.get("members") or {}))


def settle(resources: dict[tuple[str, str], HeldResource], now: datetime) -> None:
    """Let what is due happen; a change that says so takes the resource away."""
    for key, one in list(resources.items()):
        if one.due is not None and one.due[0] <= now:
            change, one.due = one.due[1], None
            if not change(one):
                del resources[key]


def find(resources: Mapping[tuple[str, str], HeldResource], name: str) -> HeldResource:
    """Return the resource of a kind and name (`load-balancer/idle`). Raises AwsError: there is none."""
    kind, _, rest = name.partition("/")
    found = resources.get((kind, rest))
    if found is None:
        raise AwsError("NotFound", f"The double holds no {kind} {rest}.")
    return found


def shown(one: HeldResource) -> dict[str, Any]:
    """State of one resource."""
    state = one.further.get("shownState") or one.described
    return {"id": f"{PREFIX}{one.kind}/{one.name}", "kind": one.kind, "described": dict(state)}


def change(resources: dict[tuple[str, str], HeldResource], name: str, changes: Mapping[str, Any]) -> None:
    """Change a resource as a person would: `members` and `further` are set, `delete` takes it away."""
    one = find(resources, name)
    one.described.update(changes.get("members") or {})
    one.further.update(changes.get("further") or {})
    if changes.get("delete"):
        del resources[one.kind, one.name]
