"""Events go to public addresses alone, whatever form an internal one takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.errors import InvalidInput, Refused, Unavailable
from finops_operator.webhooks.addresses import address_of, is_public, resolved
from finops_operator.webhooks.endpoints import endpoints_from

INTERNAL = (
    *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "169.254.170.23", "100.64.0.1"),
    *("0.0.0.0", "224.0.0.1", "240.0.0.1", "255.255.255.255", "192.0.2.1"),
    *("192.0.0.8", "192.88.99.1", "fec0::1", "3fff::1", "64:ff9b:1::10.0.0.1"),
    *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00:ec2::254", "fc00::1", "ff02::1", "2001:db8::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe"),
    *("64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2001:0:a00:1::1", "::127.0.0.1", "no address"),
    *("168.63.129.16", "::ffff:168.63.129.16"),
)


@pytest.mark.parametrize("address", INTERNAL)
def test_an_internal_address_is_refused(address: str) -> None:
    assert not is_public(address)
    with pytest.raises(Refused, match="not on the public internet"):
        address_of("hooks.example.org", 443, lambda _host, _port: [address], allow_internal=False)


def test_a_name_with_one_public_and_one_internal_address_is_refused_as_a_whole() -> None:
    with pytest.raises(Refused, match=r"10\.0\.0\.1"):
        address_of("hooks.example.org", 443, lambda _host, _port: ["8.8.8.8", "10.0.0.1"], allow_internal=False)


@pytest.mark.parametrize("host", ["2130706433", "0x7f.1", "127.1", "localhost", "0"])
def test_other_spellings_of_this_machine_are_seen_as_what_they_are(host: str) -> None:
    try:
        found = resolved(host, 443)
    except Unavailable:
        return
    assert not any(is_public(one) for one in found)


def test_a_public_address_is_the_one_that_is_connected_to() -> None:
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["8.8.8.8", "2001:4860:4860::8888"]

    assert address_of("hooks.example.org", 443, resolve, allow_internal=False) == "8.8.8.8"
    assert asked == ["hooks.example.org"]


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=4, network="169.254.0.0/16"))
def test_no_wrapping_makes_a_private_address_public(address: object) -> None:
    assert not any(is_public(text.format(address)) for text in ("{}", "::ffff:{}", "64:ff9b::{}"))


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "{}",
        '[{"name": "a"}]',
        '[{"name": "A", "url": "https://a.example.org"}]',
        '[{"name": "../a", "url": "https://a.example.org"}]',
        '[{"name": "a", "url": "http://a.example.org"}]',
        '[{"name": "a", "url": "https://user:word@a.example.org"}]',
        '[{"name": "a", "url": "https://"}]',
        '[{"name": "a", "url": "https://a.example.org:99999"}]',
        '[{"name": "a", "url": "https://a.example.org/x y"}]',
        '[{"name": "a", "url": "https://a.example.org", "typos": []}]',
        '[{"name": "a", "url": "https://a.example.org"}, {"name": "a", "url": "https://b.example.org"}]',
    ],
)
def test_a_list_of_endpoints_that_is_wrong_is_refused_at_start(text: str) -> None:
    with pytest.raises(InvalidInput):
        endpoints_from(text, allow_internal=False)


def test_an_endpoint_gets_the_types_that_it_names() -> None:
    (one, other) = endpoints_from(
        '[{"name": "a", "url": "https://a.example.org/x?y=1"}, '
        '{"name": "b", "url": "https://b.example.org", "types": ["dev.finops.outcome."]}]',
        allow_internal=False,
    )
    assert (one.host, one.wants("dev.finops.decision.approved")) == ("a.example.org", True)
    assert (other.wants("dev.finops.decision.approved"), other.wants("dev.finops.outcome.succeeded")) == (False, True)
