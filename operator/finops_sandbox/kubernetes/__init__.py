"""An in-memory Kubernetes API server: enough for kopf, kubectl and the Python client, with the rules that matter.

Role-based access control, schemas with their CEL rules, and admission policies are enforced; what cannot be evaluated
is listed, never skipped in silence. Tests use ``KubernetesDouble``, the demo runs
``python -m finops_sandbox.kubernetes``.
"""

from finops_sandbox.kubernetes.accounts import ServiceAccount, User
from finops_sandbox.kubernetes.cluster import ManifestError
from finops_sandbox.kubernetes.double import KubernetesDouble

__all__ = ["KubernetesDouble", "ManifestError", "ServiceAccount", "User"]
