"""A status is written onto the newest known version of its object."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest
from tests.support.fake_clock import FakeClock
from tests.support.scan_samples import policy

from finops.crds.scan_policy import ScanPolicy
from finops.errors import Conflict
from finops_operator.cluster.cache import ClusterCache
from finops_operator.cluster.canary import Canary
from finops_operator.cluster.objects import Gone, Objects


class Api:
    """One policy as the API server has it: a status is accepted only with the version that the server has."""

    def __init__(self, stored: ScanPolicy | None) -> None:
        self.stored = stored
        self.refused = 0

    def replace_status(self, obj: ScanPolicy, status: Mapping[str, Any]) -> ScanPolicy:
        if self.stored is None or obj.metadata.resource_version != self.stored.metadata.resource_version:
            self.refused += 1
            raise Conflict("another has written")
        self.stored = at(int(obj.metadata.resource_version or "0") + 1, obj).model_copy(
            update={"status": obj.status.model_validate(status)}
        )
        return self.stored

    def get(self, _namespace: str, _name: str) -> ScanPolicy | None:
        return self.stored


def at(version: int, obj: ScanPolicy, *, uid: str = "one") -> ScanPolicy:
    metadata = obj.metadata.model_copy(update={"resource_version": str(version), "uid": uid})
    return obj.model_copy(update={"metadata": metadata})


def objects(api: Api) -> Objects[ScanPolicy]:
    return Objects(cast("Any", api), ClusterCache().policies, Canary(FakeClock()))


def test_who_holds_an_old_version_writes_onto_the_newest_that_was_seen() -> None:
    held = at(5, policy())
    api = Api(at(8, held))
    policies = objects(api)
    policies.cache.put(at(8, held))

    written = policies.write_status(
        held, lambda newest: {"observedGeneration": int(newest.metadata.resource_version or "0")}
    )

    assert api.refused == 0
    assert written.status.observed_generation == 8


def test_who_holds_a_newer_version_than_was_seen_writes_onto_that() -> None:
    held = at(8, policy())
    api = Api(held)
    policies = objects(api)
    policies.cache.put(at(5, held))

    policies.write_status(held, lambda _newest: {"observedGeneration": 1})

    assert api.refused == 0


def test_a_write_that_nobody_has_seen_yet_costs_one_refusal_and_is_read_again() -> None:
    held = at(5, policy())
    api = Api(at(8, held))

    written = objects(api).write_status(held, lambda _newest: {"observedGeneration": 1})

    assert api.refused == 1
    assert written.metadata.resource_version == "9"


def test_another_object_of_the_same_name_is_never_written_to() -> None:
    held = at(5, policy())
    api = Api(at(8, held, uid="another"))
    policies = objects(api)
    policies.cache.put(at(8, held, uid="another"))

    with pytest.raises(Gone):
        policies.write_status(held, lambda _newest: {"observedGeneration": 1})

    assert api.stored is not None
    assert api.stored.status.observed_generation is None
