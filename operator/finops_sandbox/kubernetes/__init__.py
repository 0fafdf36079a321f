"""An in-memory Kubernetes API server: enough for kopf, kubectl and the Python client, with the rules that matter.

Role-based access control, schemas with their CEL rules, and admission policies are enforced; what cannot be evaluated
is listed, never skipped without notice. Tests use ``KubernetesDouble``, the demo runs
``python -m finops_sandbox.kubernetes``.

Not here, on purpose: pods and controllers (except the collection of dependents and of namespaces), webhooks, policy
parameters, quotas, the check that a role grants no more than its author has, tolerance for old invalid values in
updates (ratcheting), foreground deletion (it is done as background), consistent snapshots between pages of a list, and
the cost limits of CEL. A definition is not checked as strictly as a real server checks it: end-to-end claims are made
on a real one.
"""

from finops_sandbox.kubernetes.accounts import ServiceAccount, User
from finops_sandbox.kubernetes.cluster import ManifestError
from finops_sandbox.kubernetes.double import KubernetesDouble

__all__ = ["KubernetesDouble", "ManifestError", "ServiceAccount", "User"]
