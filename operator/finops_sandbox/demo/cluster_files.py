"""What the demo's API server starts with: our kinds, the chart's roles, people; and the kubeconfigs it leaves.

Kinds and admission policies come from the same code that generates the chart; the roles are the chart's own, which a
test compares.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import yaml

from finops.crds.admission import policies
from finops.crds.generate import KINDS, crd_object
from finops.crds.known_ids import KNOWN_IDS, known_id_policies

NAMESPACE: Final = "finops-system"
RELEASE: Final = "finops-operator"
OPERATOR_ACCOUNT: Final = "finops-operator"
BOT_ACCOUNT: Final = "finops-operator-slackbot"
PEOPLE: Final = ("admin", "alice", "bob")
WEB: Final = "web"
"""The dashboard, which is nobody in the cluster."""
_MANIFESTS: Final = files("finops_sandbox.demo").joinpath("manifests")


def manifest(name: str) -> list[dict[str, Any]]:
    """Return the documents of a bundled manifest: `release`, `people`, `policy`, `services`, `budgets`."""
    text = _MANIFESTS.joinpath(f"{name}.yaml").read_text(encoding="utf-8")
    return [document for document in yaml.safe_load_all(text) if document]


def write_cluster_files(folder: Path) -> tuple[Path, Path]:
    """Write definitions and manifests; return (definitions, manifests), two files for the API server."""
    folder.mkdir(mode=0o700, exist_ok=True)
    definitions, manifests = folder / "kinds.yaml", folder / "manifests.yaml"
    _write(definitions, (crd_object(kind) for kind in KINDS))
    user = f"system:serviceaccount:{NAMESPACE}:"
    admission = policies(f"{user}{OPERATOR_ACCOUNT}", {"slack": f"{user}{BOT_ACCOUNT}"}, f"{RELEASE}-{NAMESPACE}")
    admission += known_id_policies(f"{RELEASE}-{KNOWN_IDS}", NAMESPACE, f"{RELEASE}-{NAMESPACE}")
    # People come last: their file fills a ConfigMap that the release brings empty.
    _write(manifests, [*manifest("release"), *admission, *manifest("people")])
    return definitions, manifests


def _write(path: Path, documents: Iterable[Mapping[str, Any]]) -> None:
    path.write_text(yaml.safe_dump_all(documents, sort_keys=False), encoding="utf-8")


def split_kubeconfig(everybody: Path, targets: Mapping[str, Path]) -> None:
    """Write one kubeconfig per program, and one with the contexts of all people; `web` gets no token of anybody.

    Args:
        everybody: the API server's file with all contexts.
        targets: `operator`, `bot`, `web` and `people` → where to write.
    """
    config = yaml.safe_load(everybody.read_text(encoding="utf-8"))
    for who, path in targets.items():
        names = PEOPLE if who == "people" else (who,)
        chosen = (
            _anonymous(config)
            if who == WEB
            else {
                **config,
                "contexts": list(_named(config["contexts"], names)),
                "users": list(_named(config["users"], names)),
                "current-context": names[0],
            }
        )
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            yaml.safe_dump(chosen, file, sort_keys=False)


def _anonymous(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a kubeconfig that says where the API server is and nothing else, as the dashboard's pod is given."""
    (cluster,) = config["clusters"]
    context = {"name": WEB, "context": {"cluster": cluster["name"], "user": WEB}}
    return {**config, "contexts": [context], "users": [{"name": WEB, "user": {}}], "current-context": WEB}


def token_of(person: str, kubeconfig: Path) -> str:
    """Return the token of one of `PEOPLE` from the file that `split_kubeconfig` wrote for them."""
    config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    (found,) = _named(config["users"], (person,))
    return str(found["user"]["token"])


def _named(entries: Iterable[Mapping[str, Any]], names: Iterable[str]) -> Iterator[Mapping[str, Any]]:
    wanted = set(names)
    return (entry for entry in entries if entry["name"] in wanted)
