"""Who may reach whom by the rules that the chart writes; tests/e2e/loop tries it on a cluster that enforces them."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from tests.e2e.chart.rendering import COMPONENT, EVERYTHING, of_kind, pods_by_component, rendered
from tests.e2e.cluster import Object, RealCluster

pytestmark = pytest.mark.cluster

FLAVORS = {"kubernetes": "NetworkPolicy", "cilium": "CiliumNetworkPolicy"}
METADATA = ("169.254.169.254", "fd00:ec2::254")
POD_IDENTITY = ("169.254.170.23", "fd00:ec2::23")
SLACK, PRIVATE = "3.68.1.2", "10.0.0.7"
ROLE = {r"operator.serviceAccount.annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111111111111:role/r"}}


def _policies(cluster: RealCluster, values: dict[str, Any], kind: str = "NetworkPolicy") -> dict[str, Object]:
    """Component → its policy."""
    found = of_kind(rendered(cluster, values), kind)
    selector = "endpointSelector" if kind == "CiliumNetworkPolicy" else "podSelector"
    return {one["spec"][selector]["matchLabels"][COMPONENT]: one["spec"] for one in found}


def _reaches(policy: Object, address: str, port: int, protocol: str = "TCP") -> bool:
    """Whether a rule of the policy lets its pods connect to an address outside the cluster."""
    return any(
        {"port": port, "protocol": protocol} in rule["ports"] and any(_within(address, peer) for peer in rule["to"])
        for rule in policy["egress"]
    )


def _within(address: str, peer: Object) -> bool:
    block = peer.get("ipBlock")
    if not block:
        return False
    one = ip_address(address)
    return one in ip_network(block["cidr"]) and not any(one in ip_network(hole) for hole in block.get("except", []))


@pytest.mark.parametrize(("flavor", "kind"), FLAVORS.items())
def test_every_pod_has_a_policy_for_its_ways_out(real_cluster: RealCluster, flavor: str, kind: str) -> None:
    values = {**EVERYTHING, "networkPolicy.flavor": flavor}
    policies, pods = _policies(real_cluster, values, kind), pods_by_component(rendered(real_cluster, values))
    assert set(policies) == set(pods)
    for component, policy in policies.items():
        chosen = policy.get("podSelector") or policy["endpointSelector"]
        assert pods[component]["metadata"]["labels"].items() >= chosen["matchLabels"].items()
        assert "egress" in policy
        assert flavor == "cilium" or "Egress" in policy["policyTypes"]


@pytest.mark.parametrize(("flavor", "other"), [("kubernetes", "CiliumNetworkPolicy"), ("cilium", "NetworkPolicy")])
def test_only_one_flavor_is_written_and_none_when_switched_off(
    real_cluster: RealCluster, flavor: str, other: str
) -> None:
    assert not of_kind(rendered(real_cluster, {"networkPolicy.flavor": flavor}), other)
    off = rendered(real_cluster, {"networkPolicy.flavor": flavor, "networkPolicy.enabled": False})
    assert not of_kind(off, *FLAVORS.values())


def test_no_pod_reaches_the_metadata_service_of_its_node(real_cluster: RealCluster) -> None:
    addresses = [(address, port) for address in METADATA for port in (53, 80, 443, 6443, 6379)]
    external = {"valkey.enabled": False, "redis.existingSecret": "store", "aws.endpointUrl": "http://aws.test"}
    for values in (EVERYTHING, {**EVERYTHING, **external, "slack.apiUrl": "http://slack.test/api/"}):
        for policy in _policies(real_cluster, dict(values)).values():
            for address, port in addresses:
                for protocol in ("TCP", "UDP"):
                    assert not _reaches(policy, address, port, protocol)


def test_the_operator_reaches_the_metadata_service_when_the_values_say_so(real_cluster: RealCluster) -> None:
    policies = _policies(real_cluster, {**EVERYTHING, "networkPolicy.instanceMetadata": True})
    for address in METADATA:
        assert [one for one in policies if _reaches(policies[one], address, 80)] == ["operator"]


@pytest.mark.parametrize(
    ("values", "open_to"),
    [({}, ["operator"]), ({"aws.existingSecret": "aws"}, []), (ROLE, [])],
    ids=["no-credentials", "secret", "role"],
)
def test_the_agent_of_pod_identity_is_reached_when_nothing_else_gives_credentials(
    real_cluster: RealCluster, values: dict[str, Any], open_to: list[str]
) -> None:
    policies = _policies(real_cluster, {"slack.existingSecret": "slack", **values})
    for address in POD_IDENTITY:
        assert [one for one in policies if _reaches(policies[one], address, 80)] == open_to


def test_the_bot_reaches_slack_and_nothing_private_beside_the_api_server(real_cluster: RealCluster) -> None:
    server = {"networkPolicy.apiServerCidrs": ["10.96.0.1/32", "10.0.0.1/32"]}
    policies = _policies(real_cluster, {**EVERYTHING, **server})
    bot, operator = policies["slackbot"], policies["operator"]
    assert _reaches(bot, SLACK, 443)
    assert not _reaches(bot, SLACK, 80)
    assert not _reaches(bot, PRIVATE, 443)
    assert _reaches(bot, "10.96.0.1", 443)
    assert _reaches(bot, "10.0.0.1", 6443)
    # AWS has endpoints inside private networks.
    assert _reaches(operator, PRIVATE, 443)
    assert not _reaches(operator, PRIVATE, 80)


def test_the_store_calls_nobody_and_is_called_by_the_three_processes_alone(real_cluster: RealCluster) -> None:
    store = _policies(real_cluster, dict(EVERYTHING))["valkey"]
    assert store["egress"] == []
    (rule,) = store["ingress"]
    (peer,) = rule["from"]
    (expression,) = peer["podSelector"]["matchExpressions"]
    assert expression == {"key": COMPONENT, "operator": "In", "values": ["operator", "slackbot", "web"]}
    assert rule["ports"] == [{"port": "valkey", "protocol": "TCP"}]


def test_the_store_is_reached_by_the_three_processes(real_cluster: RealCluster) -> None:
    for component, policy in _policies(real_cluster, dict(EVERYTHING)).items():
        peers = [peer for rule in policy["egress"] for peer in rule["to"] if "podSelector" in peer]
        reached = {peer["podSelector"]["matchLabels"][COMPONENT] for peer in peers}
        wanted = {"valkey"} if component in {"operator", "slackbot", "web"} else set()
        assert reached == ({"operator"} if component == "test" else wanted)


def test_the_dashboard_is_open_on_its_port_and_reaches_nothing_private_beside_the_api_server(
    real_cluster: RealCluster,
) -> None:
    server = {"networkPolicy.apiServerCidrs": ["10.96.0.1/32"]}
    web = _policies(real_cluster, {**EVERYTHING, **server})["web"]
    ports = [{"port": name, "protocol": "TCP"} for name in ("http", "metrics")]
    assert web["ingress"] == [{"ports": ports}]
    assert _reaches(web, "10.96.0.1", 443)
    for address in (PRIVATE, SLACK):
        assert not any(_reaches(web, address, port) for port in (80, 443, 6443))


@pytest.mark.parametrize(
    ("url", "address", "port"),
    [
        ("http://10.1.2.3:4566", "10.1.2.3", 4566),
        ("http://10.1.2.3", "10.1.2.3", 80),
        ("https://10.1.2.3:8443/path", "10.1.2.3", 8443),
        ("http://[fd12::3]:4566", "fd12::3", 4566),
        ("http://aws.test:4566", "10.1.2.3", 4566),
    ],
)
def test_an_endpoint_that_the_values_name_is_reached_on_its_port(
    real_cluster: RealCluster, url: str, address: str, port: int
) -> None:
    policies = _policies(real_cluster, {**EVERYTHING, "aws.endpointUrl": url, "slack.apiUrl": f"{url}/api/"})
    without = _policies(real_cluster, dict(EVERYTHING))
    for component in ("operator", "slackbot"):
        assert _reaches(policies[component], address, port)
        assert not _reaches(without[component], address, port)
        assert not _reaches(policies[component], METADATA[0], port)
    for component in ("valkey", "web", "secrets", "test"):
        assert policies[component] == without[component]


def test_each_user_of_an_external_store_reaches_the_port_of_its_own_address(real_cluster: RealCluster) -> None:
    urls = {
        "redis.url": "rediss://o:p@10.1.2.3:6380/0",
        "redis.slackbotUrl": "rediss://b:p@10.1.2.4/0",
        "redis.webUrl": "rediss://w:p@10.1.2.5/0",
    }
    policies = _policies(real_cluster, {**EVERYTHING, "valkey.enabled": False, **urls})
    assert _reaches(policies["operator"], "10.1.2.3", 6380)
    assert not _reaches(policies["operator"], "10.1.2.4", 6379)
    assert _reaches(policies["slackbot"], "10.1.2.4", 6379)
    assert not _reaches(policies["slackbot"], "10.1.2.3", 6380)
    assert _reaches(policies["web"], "10.1.2.5", 6379)
    assert not _reaches(policies["web"], "10.1.2.4", 6379)
    ports = {"redis.existingSecret": "store", "networkPolicy.storePorts": [7000]}
    policies = _policies(real_cluster, {**EVERYTHING, "valkey.enabled": False, **ports})
    assert _reaches(policies["slackbot"], "10.1.2.3", 7000)
    assert not _reaches(policies["secrets"], "10.1.2.3", 7000)


@pytest.mark.parametrize(("flavor", "kind"), FLAVORS.items())
def test_further_rules_are_added_to_the_component_they_are_given_for(
    real_cluster: RealCluster, flavor: str, kind: str
) -> None:
    rule = {"ports": [{"port": 3128, "protocol": "TCP"}]}
    values = {**EVERYTHING, "networkPolicy.flavor": flavor}
    before = _policies(real_cluster, values, kind)
    after = _policies(real_cluster, {**values, "networkPolicy.extraEgress.slackbot": [rule]}, kind)
    assert after["slackbot"]["egress"] == [*before["slackbot"]["egress"], rule]
    assert {one for one in after if after[one] != before[one]} == {"slackbot"}


def _cilium(cluster: RealCluster, **values: Any) -> dict[str, Object]:
    return _policies(cluster, {**EVERYTHING, **values, "networkPolicy.flavor": "cilium"}, "CiliumNetworkPolicy")


def _peers(policy: Object, kind: str) -> Iterator[tuple[Any, list[str]]]:
    """Peers of one kind, with the ports they are reached on."""
    for rule in policy["egress"]:
        if kind in rule:
            yield rule[kind], [port["port"] for ports in rule.get("toPorts", []) for port in ports["ports"]]


def test_cilium_knows_hosts_by_name_and_the_api_server_by_what_it_is(real_cluster: RealCluster) -> None:
    policies = _cilium(real_cluster)
    (slack,) = _peers(policies["slackbot"], "toFQDNs")
    assert slack == ([{"matchName": "slack.com"}, {"matchPattern": "*.slack.com"}], ["443"])
    ((aws, ports),) = _peers(policies["operator"], "toFQDNs")
    assert {"matchPattern": "*.*.amazonaws.com"} in aws
    assert ports == ["443"]
    for component in ("operator", "slackbot", "web", "secrets"):
        assert list(_peers(policies[component], "toEntities")) == [(["kube-apiserver"], [])]
        # Names are only known to Cilium when it sees the answers of the name server.
        ((_, dns),) = [one for one in _peers(policies[component], "toEndpoints") if one[1] == ["53"]]
        assert dns == ["53"]
    assert policies["valkey"]["egress"] == [{}]


def test_cilium_names_the_endpoints_of_the_values(real_cluster: RealCluster) -> None:
    policies = _cilium(
        real_cluster, **{"aws.endpointUrl": "http://10.1.2.3:4566", "slack.apiUrl": "http://slack.test:88/api/"}
    )
    assert (["10.1.2.3/32"], ["4566"]) in list(_peers(policies["operator"], "toCIDR"))
    assert ([{"matchName": "slack.test"}], ["88"]) in list(_peers(policies["slackbot"], "toFQDNs"))


def test_cilium_lets_the_operator_reach_each_webhook_on_its_own_port_and_no_more(real_cluster: RealCluster) -> None:
    urls = ("https://hooks.test:8443/in", "https://203.0.113.7/in")
    endpoints = [{"name": f"hook-{number}", "url": url} for number, url in enumerate(urls)]
    before = _cilium(real_cluster)["operator"]
    values = {"webhooks.endpoints": endpoints, "webhooks.existingSecret": "hooks"}
    operator = _cilium(real_cluster, **values)["operator"]
    assert ([{"matchName": "hooks.test"}], ["8443"]) in list(_peers(operator, "toFQDNs"))
    assert (["203.0.113.7/32"], ["443"]) in list(_peers(operator, "toCIDR"))
    assert list(_peers(operator, "toEntities")) == list(_peers(before, "toEntities"))


def test_cilium_lets_the_operator_reach_metadata_and_agent_as_the_values_say(real_cluster: RealCluster) -> None:
    closed, opened = _cilium(real_cluster), _cilium(real_cluster, **{"networkPolicy.instanceMetadata": True})
    assert not list(_peers(closed["operator"], "toCIDR"))
    assert list(_peers(opened["operator"], "toCIDR")) == [(["169.254.169.254/32", "fd00:ec2::254/128"], ["80"])]
    agent = _cilium(real_cluster, **{"aws.existingSecret": ""})["operator"]
    assert list(_peers(agent, "toCIDR")) == [(["169.254.170.23/32", "fd00:ec2::23/128"], ["80"])]
    assert (["host"], ["80"]) in list(_peers(agent, "toEntities"))
    assert not list(_peers(_cilium(real_cluster, **{"aws.existingSecret": ""})["slackbot"], "toCIDR"))
