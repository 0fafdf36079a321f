"""What Helm makes of the chart, before any cluster sees it."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tests.e2e.chart.rendering import (
    COMPONENT,
    EVERYTHING,
    HELMS,
    KUBERNETES,
    PODS,
    environment,
    named,
    of_kind,
    pod_template,
    pods_by_component,
    refusal,
    render,
    rendered,
)
from tests.e2e.cluster import CHART, Object, RealCluster

pytestmark = pytest.mark.cluster


@pytest.mark.parametrize("program", HELMS)
def test_rendering_twice_gives_the_same_bytes(real_cluster: RealCluster, program: str) -> None:
    assert render(real_cluster, EVERYTHING, program) == render(real_cluster, EVERYTHING, program)


def test_both_helms_render_the_same_objects(real_cluster: RealCluster) -> None:
    four, three = (rendered(real_cluster, EVERYTHING, program) for program in HELMS)

    def key(document: Object) -> tuple[str, str]:
        return document["kind"], json.dumps(document["metadata"], sort_keys=True)

    assert sorted(four, key=key) == sorted(three, key=key)


@pytest.mark.parametrize(
    ("option", "at"),
    [
        ("operator.replicas=2", "replicas"),
        ("slack.existingSecrets=slack", "existingSecrets"),
        ("valkey.persistence.sise=1Gi", "sise"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("log.level=LOUD", "level"),
        ("slack.mode=Carrier", "mode"),
        # What a cluster refuses later, and says worse.
        ("operator.podAnnotations.checked=true", "podAnnotations"),
        ("slackbot.nodeSelector.disks=2", "nodeSelector"),
        ("metrics.serviceMonitor.labels.release=1", "labels"),
        ("metrics.rules.scanOverdueHours=0", "scanOverdueHours"),
        ("operator.extraEnv[0].value=true", "extraEnv"),
        ("watch.namespaces={team-a,}", "namespaces"),
        ("watch.namespaces={team-a,team-a}", "namespaces"),
        ("watch.namespaces={Team_A}", "namespaces"),
        ("aws.endpointUrl=vpce.test:443", "endpointUrl"),
        ("slack.apiUrl=ftp://slack.test", "apiUrl"),
        ("networkPolicy.flavor=calico", "flavor"),
        ("networkPolicy.apiServerPorts={https}", "apiServerPorts"),
        ("slackbot.topologySpreadConstraints[0].topologyKey=zone", "topologySpreadConstraints"),
        # What selects pods, and the network policies, is not the user's to change.
        (r"operator.podLabels.app\.kubernetes\.io/component=slackbot", "podLabels"),
    ],
)
@pytest.mark.parametrize("program", HELMS)
def test_a_typing_error_in_the_values_is_refused_and_named(
    real_cluster: RealCluster, program: str, option: str, at: str
) -> None:
    done = real_cluster.try_helm("template", "finops", str(CHART), *KUBERNETES, "--set", option, program=program)
    assert done.returncode != 0
    assert at in done.stderr


HOOK = {"name": "orders", "url": "https://hooks.test/in"}


@pytest.mark.parametrize(
    ("endpoints", "secret", "message"),
    [
        ([HOOK], "", "webhooks.existingSecret is empty: name the Secret"),
        ([HOOK, {**HOOK, "url": "https://hooks.test/other"}], "hooks", "names two endpoints orders"),
        ([{**HOOK, "url": "https://user:word@hooks.test/in"}], "hooks", "url"),
        ([{**HOOK, "name": f"hook-{number}"} for number in range(21)], "hooks", "endpoints"),
    ],
)
def test_webhooks_that_the_operator_would_not_start_with_are_refused(
    real_cluster: RealCluster, endpoints: list[Object], secret: str, message: str
) -> None:
    assert message in refusal(real_cluster, {"webhooks.endpoints": endpoints, "webhooks.existingSecret": secret})


@pytest.mark.parametrize("program", HELMS)
def test_addresses_of_webhooks_stand_in_a_secret_alone(real_cluster: RealCluster, program: str) -> None:
    """They often hold a token, and a Deployment is read by more people than a Secret."""
    endpoints = [
        {**HOOK, "url": "https://hooks.test/services/t0ken?key=s3cret&a=<b>", "types": ["dev.finops.budget"]},
        {"name": "other", "url": "https://hooks.test/in"},
    ]
    values = {"webhooks.endpoints": endpoints, "webhooks.existingSecret": "hooks", "networkPolicy.enabled": True}
    documents = rendered(real_cluster, values, program)

    secret = named(documents, "Secret", "finops-finops-operator-webhook-endpoints")
    assert json.loads(secret["stringData"]["endpoints"]) == endpoints
    assert set(secret["stringData"]) == {"endpoints"}
    shown = json.dumps([one for one in documents if one["kind"] != "Secret"])
    assert "t0ken" not in shown
    assert "s3cret" not in shown
    operator = pods_by_component(documents)["operator"]
    reference = {"secretKeyRef": {"name": secret["metadata"]["name"], "key": "endpoints"}}
    assert environment(operator, "operator")["FINOPS_WEBHOOKS"] == {"name": "FINOPS_WEBHOOKS", "valueFrom": reference}
    # The signing secrets stay where they were.
    assert {"name": "webhooks", "secret": {"secretName": "hooks"}} in operator["spec"]["volumes"]

    changed = rendered(real_cluster, {**values, "webhooks.endpoints": endpoints[:1]}, program)
    mark = "finops.dev/webhooks-hash"
    after = pods_by_component(changed)["operator"]["metadata"]["annotations"][mark]
    assert after != operator["metadata"]["annotations"][mark], "the operator reads the list at its start"


@pytest.mark.parametrize("program", HELMS)
def test_addresses_of_webhooks_may_stand_in_a_secret_that_the_chart_does_not_make(
    real_cluster: RealCluster, program: str
) -> None:
    values = {"webhooks.existingEndpointsSecret": "addresses", "webhooks.existingSecret": "hooks"}
    documents = rendered(real_cluster, values, program)

    operator = pods_by_component(documents)["operator"]
    reference = {"secretKeyRef": {"name": "addresses", "key": "endpoints"}}
    assert environment(operator, "operator")["FINOPS_WEBHOOKS"] == {"name": "FINOPS_WEBHOOKS", "valueFrom": reference}
    assert {"name": "webhooks", "secret": {"secretName": "hooks"}} in operator["spec"]["volumes"]
    made = [one["metadata"]["name"] for one in of_kind(documents, "Secret")]
    assert [name for name in made if name == "addresses" or "webhook" in name] == []


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"webhooks.existingEndpointsSecret": "addresses"}, "or remove webhooks.existingEndpointsSecret"),
        (
            {
                "webhooks.endpoints": [HOOK],
                "webhooks.existingEndpointsSecret": "addresses",
                "webhooks.existingSecret": "hooks",
            },
            "name the addresses in one place",
        ),
    ],
)
def test_a_secret_of_addresses_that_cannot_be_used_is_refused(
    values: dict[str, Any], message: str, real_cluster: RealCluster
) -> None:
    assert message in refusal(real_cluster, values)


def test_without_webhooks_there_is_no_secret_of_theirs(real_cluster: RealCluster) -> None:
    documents = rendered(real_cluster)
    assert "finops-finops-operator-webhook-endpoints" not in [
        one["metadata"]["name"] for one in of_kind(documents, "Secret")
    ]
    operator = pods_by_component(documents)["operator"]
    assert "FINOPS_WEBHOOKS" not in environment(operator, "operator")
    assert "annotations" not in operator["metadata"]


@pytest.mark.parametrize("program", HELMS)
def test_the_operator_expects_the_policy_on_its_jobs_that_the_chart_brings(
    real_cluster: RealCluster, program: str
) -> None:
    values = {"scanJobs.enabled": True, "operator.extraEnv": [{"name": "A", "value": 'it\'s <"this"> & that'}]}
    documents = rendered(real_cluster, values, program)
    (held,) = (one["data"] for one in of_kind(documents, "ConfigMap") if "admission.yaml" in one.get("data", {}))
    expected = list(yaml.safe_load_all(held["admission.yaml"]))
    assert [one["kind"] for one in expected] == ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"]
    for one in expected:
        name = one["metadata"]["name"]
        assert named(documents, one["kind"], name)["spec"] == one["spec"]
        assert name == "finops-finops-operator-scan-finops-system"
    rules = [rule for role in of_kind(documents, "ClusterRole") for rule in role["rules"]]
    assert [rule["verbs"] for rule in rules if name in rule.get("resourceNames", ())] == [["get"]]
    variables = environment(pods_by_component(documents)["operator"], "operator")
    assert variables["FINOPS_SCAN_JOB_ADMISSION"]["value"] == "/etc/finops/scan/admission.yaml"


URL, BOT_URL = "rediss://operator:o-secret@store.test:6380/0", "rediss://slackbot:b-secret@store.test:6380/0"
WEB_URL = "rediss://web:w-secret@store.test:6380/0"
EXTERNAL = {"valkey.enabled": False, "slack.existingSecret": "slack"}
URLS = {"redis.url": URL, "redis.slackbotUrl": BOT_URL, "redis.webUrl": WEB_URL}
READ = {"valkey.enabled": False, "redis.webUrl": WEB_URL}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"valkey.enabled": False}, "valkey.enabled is false and no other store is named: set redis.existingSecret"),
        ({"redis.url": URL}, "redis.url would be ignored, because valkey.enabled is true: set"),
        ({"redis.existingSecret": "s"}, "redis.existingSecret would be ignored, because valkey.enabled is true: set"),
        ({**EXTERNAL, "redis.existingSecret": "s", "redis.url": URL}, "all name a store: remove redis.existingSecret"),
        ({**EXTERNAL, "redis.url": URL}, "redis.slackbotUrl is empty: give the bot a user of its own"),
        (
            {**EXTERNAL, "redis.url": URL, "redis.slackbotUrl": URL},
            "redis.slackbotUrl names the user of redis.url: give",
        ),
        (
            {**EXTERNAL, **URLS, "redis.slackbotUrl": "rediss://operator:o-secret@store.test:6380/1"},
            "redis.slackbotUrl names the user of redis.url: give",
        ),
        (
            {**EXTERNAL, **URLS, "redis.slackbotUrl": "rediss://store.test:6380/0?password=s&username=operator"},
            "redis.slackbotUrl names the user of redis.url: give",
        ),
        (
            {
                **EXTERNAL,
                **URLS,
                "redis.url": "rediss://:a@store.test/0",
                "redis.slackbotUrl": "rediss://:b@store.test/0",
            },
            "redis.slackbotUrl names the user of redis.url: give",
        ),
        ({**EXTERNAL, "redis.url": URL, "redis.slackbotUrl": BOT_URL}, "redis.webUrl is empty: give the dashboard"),
        ({**EXTERNAL, "redis.url": URL, "redis.slackbotUrl": BOT_URL, "redis.webUrl": BOT_URL}, "of another process"),
        ({**EXTERNAL, **URLS, "redis.webUrl": "redis://web@store"}, "redis.webUrl names no password"),
        ({**READ, "redis.url": "redis://store:6379/0"}, "redis.url names no password"),
        ({**READ, "redis.url": "redis://user@store:6379/0"}, "redis.url names no password"),
        ({**READ, "redis.url": "redis://user:@store:6379/0"}, "redis.url names no password"),
        (
            {**EXTERNAL, **URLS, "redis.slackbotUrl": "redis://slackbot@store"},
            "redis.slackbotUrl names no password",
        ),
    ],
)
@pytest.mark.parametrize("program", HELMS)
def test_values_that_name_no_store_two_or_an_open_one_are_refused_with_the_remedy(
    real_cluster: RealCluster, program: str, values: dict[str, Any], message: str
) -> None:
    assert message in refusal(real_cluster, values, program)


def test_every_process_reaches_a_store_of_ones_own_by_its_own_address(real_cluster: RealCluster) -> None:
    documents = rendered(real_cluster, {**EXTERNAL, **URLS})
    assert not of_kind(documents, "StatefulSet")
    (secret,) = of_kind(documents, "Secret")
    assert secret["stringData"] == {"operator-url": URL, "slackbot-url": BOT_URL, "web-url": WEB_URL}
    pods = pods_by_component(documents)
    for component in ("operator", "slackbot", "web"):
        assert _store_of(pods[component], component) == (secret["metadata"]["name"], f"{component}-url")
    # Passwords are in the Secret alone.
    assert "o-secret" not in json.dumps([one for one in documents if one["kind"] != "Secret"])


def test_another_address_makes_the_pods_start_anew(real_cluster: RealCluster) -> None:
    def annotations(bot_url: str) -> list[Object]:
        documents = rendered(real_cluster, {**EXTERNAL, **URLS, "redis.slackbotUrl": bot_url})
        return [pods_by_component(documents)[one]["metadata"]["annotations"] for one in ("operator", "slackbot")]

    (operator, bot), (same, other) = annotations(BOT_URL), annotations(f"{BOT_URL}?client_name=bot")
    assert operator == same
    assert bot != other


def test_a_secret_of_ones_own_holds_both_addresses_under_keys_that_can_be_named(real_cluster: RealCluster) -> None:
    values = {**EXTERNAL, "redis.existingSecret": "store", "redis.existingSecretKeys.slackbot": "bot"}
    documents = rendered(real_cluster, values)
    assert not of_kind(documents, "Secret")
    pods = pods_by_component(documents)
    assert _store_of(pods["operator"], "operator") == ("store", "FINOPS_REDIS_URL")
    assert _store_of(pods["slackbot"], "slackbot") == ("store", "bot")
    assert _store_of(pods["web"], "web") == ("store", "FINOPS_WEB_REDIS_URL")


def test_a_store_without_a_password_is_taken_when_the_values_allow_it(real_cluster: RealCluster) -> None:
    values = {**EXTERNAL, "redis.url": "redis://store", "store.allowUnauthenticated": True}
    documents = rendered(real_cluster, values)
    (secret,) = of_kind(documents, "Secret")
    assert set(secret["stringData"].values()) == {"redis://store"}
    for component in ("operator", "slackbot", "web"):
        setting = environment(pods_by_component(documents)[component], component)["FINOPS_STORE_ALLOW_UNAUTHENTICATED"]
        assert setting["value"] == "true"


def _store_of(template: Object, component: str) -> tuple[str, str]:
    reference = environment(template, component)["FINOPS_REDIS_URL"]["valueFrom"]["secretKeyRef"]
    return reference["name"], reference["key"]


@pytest.mark.parametrize(
    ("registry", "image"),
    [
        ("registry.example:5000/team", "registry.example:5000/team/finops-operator:1"),
        ("registry.example/", "registry.example/finops-operator:1"),
        ("", "finops-operator:1"),
    ],
)
def test_the_registry_stands_in_front_of_the_image_or_nothing_does(
    real_cluster: RealCluster, registry: str, image: str
) -> None:
    documents = rendered(real_cluster, {"image.registry": registry, "image.tag": "1"})
    pods = pods_by_component(documents)
    assert {pods[one]["spec"]["containers"][0]["image"] for one in ("operator", "secrets", "test")} == {image}


def test_what_scrapes_the_operator_scrapes_bot_and_dashboard_too(real_cluster: RealCluster) -> None:
    documents = rendered(real_cluster, EVERYTHING)
    (monitor,) = [document for document in documents if document["kind"] == "ServiceMonitor"]
    services = [one for one in documents if one["kind"] == "Service" and _selects(monitor, one)]
    ports = {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]}
    components = []
    for service in services:
        selector, labels = service["spec"]["selector"], service["metadata"]["labels"]
        (pods,) = [
            one for one in documents if one["kind"] == "Deployment" and _pod_labels(one).items() >= selector.items()
        ]
        assert ports <= {port["name"] for port in service["spec"]["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= {
            port["name"] for port in pod_template(pods)["spec"]["containers"][0]["ports"]
        }
        components.append(labels[COMPONENT])
    assert sorted(components) == ["operator", "slackbot", "web"]


@pytest.mark.parametrize("program", HELMS)
def test_operator_and_dashboard_know_the_keys_that_signed_the_ledger_before(
    real_cluster: RealCluster, program: str
) -> None:
    documents = rendered(real_cluster, {"ledger.trustedKeys": "PEM"}, program)
    for name in ("finops-finops-operator", "finops-finops-operator-web"):
        (container,) = pod_template(named(documents, "Deployment", name))["spec"]["containers"]
        assert {"name": "FINOPS_LEDGER_TRUSTED_KEYS", "value": "PEM"} in container["env"], name


@pytest.mark.parametrize("program", HELMS)
def test_alerts_are_rendered_with_the_hours_and_labels_of_the_values(real_cluster: RealCluster, program: str) -> None:
    section = {"enabled": True, "scanOverdueHours": 26, "labels": {"release": "prometheus"}}
    (rule,) = of_kind(rendered(real_cluster, {"metrics.rules": section}, program), "PrometheusRule")
    written = yaml.safe_load((CHART / "files" / "monitoring" / "alerts.yaml").read_text(encoding="utf-8"))
    (overdue,) = (one for group in written["groups"] for one in group["rules"] if one["alert"] == "FinopsScanOverdue")
    overdue["expr"] = overdue["expr"].replace("OVERDUE_HOURS", "26")
    assert rule["spec"] == written
    assert rule["metadata"]["labels"]["release"] == "prometheus"


@pytest.mark.parametrize("program", HELMS)
def test_the_dashboard_for_grafana_is_rendered_as_it_stands(real_cluster: RealCluster, program: str) -> None:
    section = {"enabled": True, "annotations": {"grafana_folder": "FinOps"}}
    name = "finops-finops-operator-dashboard"
    found = named(rendered(real_cluster, {"metrics.dashboards": section}, program), "ConfigMap", name)
    written = json.loads((CHART / "files" / "monitoring" / "dashboard.json").read_text(encoding="utf-8"))
    assert json.loads(found["data"]["finops-operator.json"]) == written
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["metadata"]["annotations"] == {"grafana_folder": "FinOps"}


def test_nothing_of_monitoring_is_rendered_unless_it_is_asked_for(real_cluster: RealCluster) -> None:
    documents = rendered(real_cluster)
    assert of_kind(documents, "ServiceMonitor", "PrometheusRule") == []
    assert not [one for one in of_kind(documents, "ConfigMap") if one["metadata"]["name"].endswith("-dashboard")]


def _selects(monitor: dict[str, Any], service: Object) -> bool:
    selector, labels = monitor["spec"]["selector"], service["metadata"]["labels"]
    return labels.items() >= selector["matchLabels"].items() and all(
        labels.get(one["key"]) in one["values"] for one in selector["matchExpressions"]
    )


def _pod_labels(document: Object) -> dict[str, str]:
    labels: dict[str, str] = document["spec"]["template"]["metadata"]["labels"]
    return labels


def test_the_api_server_knows_every_field_that_is_rendered(real_cluster: RealCluster) -> None:
    values: dict[str, Any] = {
        "slack": {"existingSecret": "slack"},
        "slackbot.replicas": 2,
        "web.replicas": 2,
        "web.ingress": {"enabled": True, "hosts": ["finops.test"], "tls": [{"secretName": "finops"}]},
        "image.pullSecrets": [{"name": "registry"}],
        "operator.priorityClassName": "system-cluster-critical",
        "secretsJob.podLabels": {"team": "sre"},
    }
    # The kinds' definitions have a test of their own, and a bare pod needs its account first.
    left_out = {"CustomResourceDefinition", "Pod"}
    documents = [one for one in rendered(real_cluster, values) if one["kind"] not in left_out]
    options = ("apply", "--server-side", "--dry-run=server", "--validate=strict", "-n", "default", "-o", "name")
    applied = real_cluster.kubectl(*options, "-f", "-", stdin="\n---\n".join(map(json.dumps, documents)))
    assert len(applied.split()) == len(documents)


def test_lint_finds_nothing(real_cluster: RealCluster) -> None:
    assert "0 chart(s) failed" in real_cluster.helm("lint", "--strict", str(CHART))


def test_no_bot_without_a_slack_secret(real_cluster: RealCluster) -> None:
    documents = rendered(real_cluster)
    assert "slackbot" not in {document["metadata"].get("labels", {}).get(COMPONENT) for document in documents}


def test_every_pod_has_no_right_that_pod_security_restricted_forbids_and_no_writable_root(
    real_cluster: RealCluster,
) -> None:
    specs = [pod_template(document)["spec"] for document in of_kind(rendered(real_cluster, EVERYTHING), *PODS)]
    assert len(specs) == 6
    for spec in specs:
        assert spec["securityContext"]["runAsNonRoot"] is True
        assert spec["enableServiceLinks"] is False
        for container in [*spec["containers"], *spec.get("initContainers", [])]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
            assert container["securityContext"]["allowPrivilegeEscalation"] is False


def test_no_role_has_a_wildcard_lists_secrets_or_can_raise_itself(real_cluster: RealCluster) -> None:
    roles = of_kind(rendered(real_cluster, EVERYTHING), "Role", "ClusterRole")
    assert roles
    for role in roles:
        for rule in role["rules"]:
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])
            assert "pods/exec" not in rule["resources"]
            if "secrets" in rule["resources"]:
                assert not {"list", "watch"} & set(rule["verbs"])


@pytest.mark.parametrize("program", HELMS)
def test_no_slack_at_all_is_no_bot_and_any_other_section_is_asked_for_by_name(
    real_cluster: RealCluster, program: str
) -> None:
    assert rendered(real_cluster, {"slack": None}, program) == rendered(real_cluster, None, program)
    for section in ("redis", "valkey", "operator"):
        said = refusal(real_cluster, {section: None}, program)
        assert section in said
        assert "nil pointer" not in said


CLAIM = {"prices.tables.existingClaim": "finops-prices"}


@pytest.mark.parametrize("program", HELMS)
def test_without_a_claim_of_price_tables_no_pod_has_a_folder_of_them(real_cluster: RealCluster, program: str) -> None:
    text = render(real_cluster, {"scanJobs.enabled": True}, program)
    assert "FINOPS_PRICE_TABLES" not in text
    assert "/var/lib/finops/prices" not in text
    assert "persistentVolumeClaim.?claimName" not in text


@pytest.mark.parametrize("program", HELMS)
def test_price_tables_are_mounted_read_only_where_the_operator_and_the_pods_of_scans_expect_them(
    real_cluster: RealCluster, program: str
) -> None:
    values = {**CLAIM, "prices.tables.subPath": "tables/of-ours", "scanJobs.enabled": True}
    documents = rendered(real_cluster, values, program)
    templates = named(documents, "ConfigMap", "finops-finops-operator-scan")["data"]
    scan = yaml.safe_load(templates["job.yaml"])["spec"]["template"]["spec"]
    for pod in (pods_by_component(documents)["operator"]["spec"], scan):
        (container,) = pod["containers"]
        volume = {"name": "prices", "persistentVolumeClaim": {"claimName": "finops-prices", "readOnly": True}}
        mount = {"name": "prices", "mountPath": "/var/lib/finops/prices", "readOnly": True, "subPath": "tables/of-ours"}
        assert volume in pod["volumes"]
        assert mount in container["volumeMounts"]
        assert {"name": "FINOPS_PRICE_TABLES", "value": "/var/lib/finops/prices"} in container["env"]


def test_the_pods_of_scans_may_have_the_claim_of_price_tables_and_no_other(real_cluster: RealCluster) -> None:
    documents = rendered(real_cluster, {**CLAIM, "scanJobs.enabled": True})
    guard = named(documents, "ValidatingAdmissionPolicy", "finops-finops-operator-scan-finops-system")
    (volumes,) = [one["expression"] for one in guard["spec"]["validations"] if "emptyDir" in one["expression"]]
    allowed = (
        "all(one, has(one.emptyDir) || one.?persistentVolumeClaim.?claimName.orValue('') == 'finops-prices'"
        " && one.?persistentVolumeClaim.?readOnly.orValue(false) == true)"
    )
    assert allowed in " ".join(volumes.split())


@pytest.mark.parametrize("claim", ["Finops", "a'b", "-a"])
def test_a_claim_that_cannot_exist_is_refused(real_cluster: RealCluster, claim: str) -> None:
    assert "existingClaim" in refusal(real_cluster, {"prices.tables.existingClaim": claim})
