"""The state and the rules of one double, without HTTP: what a server serves and a test loads manifests into."""

import copy
import logging
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml

from finops_sandbox.kubernetes.accounts import Accounts
from finops_sandbox.kubernetes.admission import Admission
from finops_sandbox.kubernetes.objects import ApiError, Kind, Obj, UserInfo
from finops_sandbox.kubernetes.rbac import Authorizer, bootstrap_objects
from finops_sandbox.kubernetes.store import Store
from finops_sandbox.kubernetes.validation import Validation
from finops_sandbox.kubernetes.writes import WriteOptions, Writer

_logger = logging.getLogger(__name__)

Source = Path | str | Obj
_YAML = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""In C where there is one: the kinds of the release are some hundred lines each."""
_LOADER = WriteOptions(UserInfo("system:loader", ("system:masters",)), "Strict")
_FIRST = ("Namespace", "CustomResourceDefinition", "ServiceAccount", "ClusterRole", "Role")


class ManifestError(Exception):
    """A manifest cannot be loaded; names the document and the reason."""


class Cluster:
    """Store, rights, validation, admission and writer, wired together and filled with what every cluster has."""

    def __init__(self, accounts: Accounts, warn: Callable[[str], None] = _logger.warning) -> None:
        self.accounts = accounts
        self.store = Store()
        self.authorizer = Authorizer(self.store)
        self.admission = Admission(self.store, self.authorizer, warn)
        self.validation = Validation(self.store.kinds, warn)
        self.writer = Writer(self.store, self.validation, self.admission)
        spaces = ("default", "kube-system", "kube-public", "kube-node-lease")
        names = dict.fromkeys([*spaces, *(account.namespace for account in accounts.service_accounts())])
        self.apply([{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in names])
        self.apply(bootstrap_objects())
        for account in accounts.service_accounts():
            metadata = {"name": account.name, "namespace": account.namespace}
            self.apply([{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}])

    @property
    def not_evaluated(self) -> list[str]:
        """Every CEL expression, of schemas and admission policies, that is not enforced as written."""
        return [*self.validation.not_evaluated, *self.admission.not_evaluated]

    def apply(self, sources: Iterable[Source]) -> list[Obj]:
        """Create or replace objects from files, folders or documents, in an order that works.

        Raises:
            ManifestError: a document is malformed, of an unknown kind, or refused.
        """
        documents = [doc for source in sources for doc in read_documents(source)]
        rank = {kind: index for index, kind in enumerate(_FIRST)}
        documents.sort(key=lambda doc: rank.get(doc.get("kind", ""), len(rank)))
        return [self._put(doc) for doc in documents]

    def kind_of(self, document: Obj) -> Kind:
        """The kind of a document.

        Raises:
            ManifestError: nothing of that kind is known.
        """
        version, name = document.get("apiVersion", ""), document.get("kind", "")
        for kind in self.store.kinds:
            if (kind.api_version, kind.kind) == (version, name):
                return kind
        message = f"no kind {name!r} in {version!r} is known; load its definition first"
        raise ManifestError(message)

    def _put(self, document: Obj) -> Obj:
        kind = self.kind_of(document)
        metadata = document.get("metadata") or {}
        namespace = (metadata.get("namespace") or "default") if kind.namespaced else ""
        name = metadata.get("name", "")
        old = self.store.get(kind, namespace, name)
        try:
            if old is None:
                obj = self.writer.create(kind, namespace, _copy(document), _LOADER).obj
            else:
                wanted = _copy(document)
                wanted["metadata"]["resourceVersion"] = old["metadata"]["resourceVersion"]
                obj = self.writer.update(kind, namespace, name, wanted, _LOADER).obj
            if "status" in document and kind.has_status and kind.custom:
                patch = {"status": document["status"]}
                status = WriteOptions(_LOADER.user, "Strict", subresource="status")
                obj = self.writer.patch(kind, namespace, name, "application/merge-patch+json", patch, status).obj
        except ApiError as error:
            message = f"{kind.qualified_kind} {namespace}/{name}: {error.message}"
            raise ManifestError(message) from error
        return obj

    def objects(self, resource: str) -> list[Obj]:
        """Everything of one resource, named ``plural`` or ``plural.group``.

        Raises:
            ManifestError: no such resource.
        """
        return self.store.all(self._kind(resource))

    def put_back(self, resource: str, objects: Iterable[Obj]) -> None:
        """Store objects as they once were, past every rule: what restoring a copy of etcd does.

        Raises:
            ManifestError: no such resource.
        """
        kind = self._kind(resource)
        for obj in objects:
            self.store.put(kind, copy.deepcopy(obj))

    def _kind(self, resource: str) -> Kind:
        plural, _, group = resource.partition(".")
        kind = self.store.kinds.of_resource(group, plural)
        if kind is None:
            message = f"no resource {resource!r} is known"
            raise ManifestError(message)
        return kind


def read_documents(source: Source) -> list[Obj]:
    """Documents of a file or of every YAML and JSON file of a folder; ``kind: List`` is unpacked.

    Raises:
        ManifestError: a path is missing or its content is no manifest.
    """
    if isinstance(source, dict):
        found: list[Obj] = [source]
    else:
        path = Path(source)
        if path.is_dir():
            files = sorted(p for p in path.iterdir() if p.suffix in (".yaml", ".yml", ".json"))
            return [doc for file in files for doc in read_documents(file)]
        try:
            read = yaml.load_all(path.read_text(encoding="utf-8"), Loader=_YAML)
            found = [_document(path, doc) for doc in read if doc]
        except (OSError, yaml.YAMLError) as error:
            message = f"{path}: {error}"
            raise ManifestError(message) from error
    out: list[Obj] = []
    for doc in found:
        if "kind" not in doc:
            message = f"{source if not isinstance(source, dict) else 'document'}: a manifest needs apiVersion and kind"
            raise ManifestError(message)
        out += doc["items"] if doc["kind"] == "List" else [doc]
    return out


def _document(path: Path, content: object) -> Obj:
    if isinstance(content, dict):
        return content
    message = f"{path}: a manifest is a mapping, not {type(content).__name__}"
    raise ManifestError(message)


def _copy(document: Obj) -> Obj:
    return {**document, "metadata": {**(document.get("metadata") or {})}}
