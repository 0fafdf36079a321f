"""Which addresses of a store operator and bot start with."""

from __future__ import annotations

import pytest

from finops.errors import InvalidInput
from finops.store.address import require_password, user_of

WITHOUT = ("redis://store:6379/0", "rediss://operator@store/0", "redis://:@store", "redis://store/0?password=")
WITH = ("redis://operator:secret@store/0", "rediss://:secret@store", "redis://store/0?username=bot&password=secret")


@pytest.mark.parametrize("url", WITHOUT)
def test_an_address_without_a_password_is_refused_and_the_setting_named(url: str) -> None:
    with pytest.raises(InvalidInput, match="names no password") as caught:
        require_password(url, allow_unauthenticated=False)
    assert caught.value.field == "FINOPS_REDIS_URL"
    assert "FINOPS_STORE_ALLOW_UNAUTHENTICATED=true" in caught.value.hint
    assert url not in str(caught.value)
    require_password(url, allow_unauthenticated=True)


@pytest.mark.parametrize("url", WITH)
def test_an_address_with_a_password_is_taken(url: str) -> None:
    require_password(url, allow_unauthenticated=False)


def test_a_socket_is_protected_by_its_file() -> None:
    require_password("unix:///run/valkey.sock", allow_unauthenticated=False)


def test_what_is_no_address_is_refused_all_the_same() -> None:
    with pytest.raises(InvalidInput, match="is not a store address"):
        require_password("http://store", allow_unauthenticated=True)


@pytest.mark.parametrize(
    ("url", "user"),
    [
        ("rediss://operator:secret@store:6380/0", "operator"),
        ("rediss://operator:secret@store:6380/1", "operator"),
        ("redis://a%40b:secret@store", "a@b"),
        ("redis://store?username=operator&password=x", "operator"),
        ("redis://:secret@store", "default"),
        ("unix:///run/valkey.sock", "default"),
    ],
)
def test_an_address_names_the_user_as_whom_it_comes(url: str, user: str) -> None:
    assert user_of(url) == user
