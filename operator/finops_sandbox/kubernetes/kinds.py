"""The resources the double knows without any definition, and how a CustomResourceDefinition becomes one more."""

from finops_sandbox.kubernetes.objects import Kind, Obj

RBAC_GROUP = "rbac.authorization.k8s.io"
ADMISSION_GROUP = "admissionregistration.k8s.io"
CRD_GROUP = "apiextensions.k8s.io"

STRING: Obj = {"type": "string"}
STRING_MAP: Obj = {"type": "object", "additionalProperties": STRING}
MICRO_TIME: Obj = {"type": "string", "format": "micro-time"}
OPEN: Obj = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
LEASE_SPEC: Obj = {
    "type": "object",
    "description": "spec contains the specification of the Lease.",
    "properties": {
        "holderIdentity": STRING,
        "leaseDurationSeconds": {"type": "integer"},
        "acquireTime": MICRO_TIME,
        "renewTime": MICRO_TIME,
        "leaseTransitions": {"type": "integer"},
        "preferredHolder": STRING,
        "strategy": STRING,
    },
}


def _schema(description: str, **properties: Obj) -> Obj:
    return {"type": "object", "description": description, "properties": properties, "additionalProperties": True}


_NAMESPACE = _schema("Namespace provides a scope for names.", spec=OPEN, status=OPEN)
_CONFIG_MAP = _schema(
    "ConfigMap holds configuration data.",
    data=STRING_MAP,
    binaryData=STRING_MAP,
    immutable={"type": "boolean"},
)
_SECRET = _schema("Secret holds confidential data.", data=STRING_MAP, stringData=STRING_MAP, type=STRING)
_LEASE = _schema("Lease defines a lease concept.", spec=LEASE_SPEC)

NAMESPACE = Kind("", "v1", "namespaces", "Namespace", False, "namespace", ("ns",), has_status=True, schema=_NAMESPACE)
CRD = Kind(
    CRD_GROUP,
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    False,
    "customresourcedefinition",
    ("crd", "crds"),
    ("api-extensions",),
    has_status=True,
)
POLICY = Kind(
    ADMISSION_GROUP,
    "v1",
    "validatingadmissionpolicies",
    "ValidatingAdmissionPolicy",
    False,
    "validatingadmissionpolicy",
    has_status=True,
)
POLICY_BINDING = Kind(
    ADMISSION_GROUP,
    "v1",
    "validatingadmissionpolicybindings",
    "ValidatingAdmissionPolicyBinding",
    False,
    "validatingadmissionpolicybinding",
)
ROLE = Kind(RBAC_GROUP, "v1", "roles", "Role", True, "role")
CLUSTER_ROLE = Kind(RBAC_GROUP, "v1", "clusterroles", "ClusterRole", False, "clusterrole")
ROLE_BINDING = Kind(RBAC_GROUP, "v1", "rolebindings", "RoleBinding", True, "rolebinding")
CLUSTER_ROLE_BINDING = Kind(RBAC_GROUP, "v1", "clusterrolebindings", "ClusterRoleBinding", False, "clusterrolebinding")
CONFIG_MAP = Kind("", "v1", "configmaps", "ConfigMap", True, "configmap", ("cm",), schema=_CONFIG_MAP)
SERVICE_ACCOUNT = Kind("", "v1", "serviceaccounts", "ServiceAccount", True, "serviceaccount", ("sa",))
EVENT = Kind("", "v1", "events", "Event", True, "event", ("ev",))
NEW_EVENT = Kind("events.k8s.io", "v1", "events", "Event", True, "event", ("ev",))
WEBHOOKS = tuple(
    Kind(ADMISSION_GROUP, "v1", f"{word}webhookconfigurations", f"{word.title()}WebhookConfiguration", False)
    for word in ("validating", "mutating")
)

BUILT_IN: tuple[Kind, ...] = (
    NAMESPACE,
    CONFIG_MAP,
    Kind("", "v1", "secrets", "Secret", True, "secret", schema=_SECRET),
    SERVICE_ACCOUNT,
    EVENT,
    NEW_EVENT,
    Kind("coordination.k8s.io", "v1", "leases", "Lease", True, "lease", schema=_LEASE),
    CRD,
    POLICY,
    POLICY_BINDING,
    *WEBHOOKS,
    ROLE,
    CLUSTER_ROLE,
    ROLE_BINDING,
    CLUSTER_ROLE_BINDING,
)

# Kinds that are answered, never stored: (group, plural) -> kind.
REVIEWS: dict[tuple[str, str], str] = {
    ("authentication.k8s.io", "tokenreviews"): "TokenReview",
    ("authentication.k8s.io", "selfsubjectreviews"): "SelfSubjectReview",
    ("authorization.k8s.io", "subjectaccessreviews"): "SubjectAccessReview",
    ("authorization.k8s.io", "localsubjectaccessreviews"): "LocalSubjectAccessReview",
    ("authorization.k8s.io", "selfsubjectaccessreviews"): "SelfSubjectAccessReview",
    ("authorization.k8s.io", "selfsubjectrulesreviews"): "SelfSubjectRulesReview",
}


def kinds_of_definition(definition: Obj) -> list[Kind]:
    """The served versions of a CustomResourceDefinition, each as a kind."""
    spec = definition["spec"]
    names = spec["names"]
    return [
        Kind(
            spec["group"],
            version["name"],
            names["plural"],
            names["kind"],
            spec["scope"] == "Namespaced",
            names.get("singular") or names["kind"].lower(),
            tuple(names.get("shortNames", ())),
            tuple(names.get("categories", ())),
            "status" in (version.get("subresources") or {}),
            custom=True,
            schema=(version.get("schema") or {}).get("openAPIV3Schema"),
            columns=tuple(version.get("additionalPrinterColumns", ())),
            selectable_fields=tuple(f["jsonPath"] for f in version.get("selectableFields", ())),
        )
        for version in spec["versions"]
        if version.get("served", True)
    ]


def established_status(definition: Obj, moment: str) -> Obj:
    """The status a real server gives a definition once its names are accepted."""
    spec = definition["spec"]
    conditions = [
        {"type": "NamesAccepted", "reason": "NoConflicts", "message": "no conflicts found"},
        {"type": "Established", "reason": "InitialNamesAccepted", "message": "the initial names have been accepted"},
    ]
    return {
        "conditions": [{**c, "status": "True", "lastTransitionTime": moment} for c in conditions],
        "acceptedNames": spec["names"],
        "storedVersions": [v["name"] for v in spec["versions"] if v.get("storage")],
    }
