"""Discovery: which groups, versions and resources there are, in the old and the aggregated form."""

from collections.abc import Iterable

from finops_sandbox.kubernetes.kinds import REVIEWS
from finops_sandbox.kubernetes.objects import ApiError, Kind, Obj

VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_SUB_VERBS = ["get", "patch", "update"]


def versions_by_group(kinds: Iterable[Kind]) -> dict[str, list[str]]:
    """Groups in the order they became known, each with its versions."""
    found: dict[str, list[str]] = {}
    for kind in kinds:
        versions = found.setdefault(kind.group, [])
        if kind.version not in versions:
            versions.append(kind.version)
    for group, _ in REVIEWS:
        found.setdefault(group, ["v1"])
    return found


def api_group(group: str, versions: list[str]) -> Obj:
    """One entry of ``/apis``."""
    named = [{"groupVersion": f"{group}/{version}", "version": version} for version in versions]
    return {"name": group, "versions": named, "preferredVersion": named[0]}


def group_list(kinds: Iterable[Kind]) -> Obj:
    """What ``/apis`` answers."""
    groups = [api_group(group, versions) for group, versions in versions_by_group(kinds).items() if group]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}


def resource_list(kinds: Iterable[Kind], group: str, version: str) -> Obj:
    """What ``/apis/GROUP/VERSION`` answers.

    Raises:
        ApiError: 404 if nothing of that group and version is served.
    """
    resources: list[Obj] = []
    for kind in kinds:
        if (kind.group, kind.version) != (group, version):
            continue
        resources.append(
            {
                "name": kind.plural,
                "singularName": kind.singular or kind.kind.lower(),
                "namespaced": kind.namespaced,
                "kind": kind.kind,
                "verbs": VERBS,
                **({"shortNames": list(kind.short_names)} if kind.short_names else {}),
                **({"categories": list(kind.categories)} if kind.categories else {}),
            },
        )
        if kind.has_status:
            resources.append(
                _plain_resource(f"{kind.plural}/status", kind.kind, _SUB_VERBS, namespaced=kind.namespaced)
            )
    for (review_group, plural), name in REVIEWS.items():
        if review_group == group and version == "v1":
            resources.append(_plain_resource(plural, name, ["create"], namespaced=plural.startswith("local")))
    if not resources:
        raise ApiError(404, "NotFound", "the server could not find the requested resource", {})
    name = f"{group}/{version}" if group else version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": name, "resources": resources}


def _plain_resource(name: str, kind: str, verbs: list[str], *, namespaced: bool) -> Obj:
    return {"name": name, "singularName": "", "namespaced": namespaced, "kind": kind, "verbs": verbs}


def aggregated(kinds: Iterable[Kind], *, core: bool) -> Obj:
    """``APIGroupDiscoveryList``: everything under ``/api`` or ``/apis`` in one answer."""
    known = list(kinds)
    items = [
        {
            "metadata": {"name": group} if group else {"creationTimestamp": None},
            "versions": [
                {"version": version, "resources": _aggregated_resources(known, group, version), "freshness": "Current"}
                for version in versions
            ],
        }
        for group, versions in versions_by_group(known).items()
        if (group == "") == core
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": items}


def _aggregated_resources(kinds: list[Kind], group: str, version: str) -> list[Obj]:
    found: list[Obj] = []
    for kind in kinds:
        if (kind.group, kind.version) != (group, version):
            continue
        response = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        status = {"subresource": "status", "responseKind": response, "verbs": _SUB_VERBS}
        found.append(
            {
                "resource": kind.plural,
                "responseKind": response,
                "scope": "Namespaced" if kind.namespaced else "Cluster",
                "singularResource": kind.singular or kind.kind.lower(),
                "verbs": VERBS,
                **({"shortNames": list(kind.short_names)} if kind.short_names else {}),
                **({"categories": list(kind.categories)} if kind.categories else {}),
                **({"subresources": [status]} if kind.has_status else {}),
            },
        )
    for (review_group, plural), name in REVIEWS.items():
        if review_group == group and version == "v1":
            found.append(
                {
                    "resource": plural,
                    "responseKind": {"group": group, "version": "v1", "kind": name},
                    "scope": "Namespaced" if plural.startswith("local") else "Cluster",
                    "singularResource": name.lower(),
                    "verbs": ["create"],
                },
            )
    return found
