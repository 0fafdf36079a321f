"""The ledger's public keys as commands take them, and other small files that people name on the command line."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from finops.audit_verify import Keys, NotAKey
from finops.errors import InvalidInput

PublicKey: TypeAlias = Annotated[
    str,
    typer.Option(
        "--public-key",
        metavar="FILE",
        envvar="FINOPS_LEDGER_PUBLIC_KEY_FILE",
        help="Public keys of the ledger (PEM); without them signatures are not checked.",
    ),
]


def public_keys(file: str) -> Keys:
    """Return the keys in a file; - is stdin. Raises InvalidInput: it cannot be read, or holds no key."""
    try:
        return Keys(text_of(file, "--public-key"))
    except NotAKey as error:
        raise InvalidInput(
            str(error),
            source=file,
            field="--public-key",
            hint="kubectl get secret NAME -o jsonpath='{.data.ledger-public-key}' | base64 -d",
        ) from error


def text_of(file: str, option: str) -> str:
    """Return the text of a file that `option` names; - is stdin. Raises InvalidInput: it cannot be read."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = f"cannot be read: {error.strerror if isinstance(error, OSError) else error.reason}"
        raise InvalidInput(problem, source=file, field=option, hint="check the path") from error
