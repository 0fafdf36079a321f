"""Fixtures every test may use: a real Valkey (one a session) and a store with keys of its own."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

import pytest
from hypothesis import settings
from tests.support.valkey import running_valkey

from finops.store.connection import Store, open_store

# How long an example takes says something about the machine, not about the code: speed belongs to the benchmarks.
settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


@pytest.fixture(scope="session")
def valkey_url() -> Iterator[str]:
    """Return the URL of a durable server; share it by key prefixes, do not flush it."""
    with running_valkey() as server:
        yield server.url


@pytest.fixture
def store(valkey_url: str) -> Iterator[Store]:
    """Return a store whose keys no other test sees."""
    opened = open_store(valkey_url, prefix=f"t-{uuid.uuid4().hex}:")
    yield opened
    opened.client.close()
