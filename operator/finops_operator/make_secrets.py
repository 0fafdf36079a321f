"""`python -m finops_operator.make_secrets NAME`: the chart's Job, run at every install and upgrade.

Makes the passwords of the store's users and the keys that sign Slack buttons, lists of group members and the ledger
when the Secret is absent. An upgrade adds what this version needs and an earlier one did not make; what is there stays,
but a signing key that somebody replaced gets its public key beside it.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Mapping

from finops.errors import FinopsError
from finops.k8s.connection import connect
from finops.k8s.secrets import create_once, update_once
from finops.ledger.signing import new_private_key, public_key_of
from finops.settings import from_environment

_BYTES = 32
SIGNING_KEY = "ledger-signing-key"
PUBLIC_KEY = "ledger-public-key"
PLAIN = ("operator-password", "slackbot-password", "button-key", "membership-key")
"""Random texts; the last one is the bot's and the operator's."""


def make() -> Mapping[str, str]:
    """Return fresh values: a random one for each of the plain secrets, and the ledger's two keys."""
    plain = {key: secrets.token_hex(_BYTES) for key in PLAIN}
    return {**plain, **_ledger_keys(new_private_key())}


def _ledger_keys(private: str) -> dict[str, str]:
    """Return the key that signs the ledger's records, and the public one that `finops audit verify` needs."""
    return {SIGNING_KEY: private, PUBLIC_KEY: public_key_of(private)}


def missing(kept: Mapping[str, str]) -> Mapping[str, str]:
    """Return values for what a Secret does not hold, fresh where they can be; empty when it has all.

    Raises:
        InvalidInput: somebody put something else than a private Ed25519 key under `ledger-signing-key`.
    """
    wanted = {**make(), **(_ledger_keys(kept[SIGNING_KEY]) if kept.get(SIGNING_KEY) else {})}
    return {
        key: value for key, value in wanted.items() if not kept.get(key) or (key == PUBLIC_KEY and kept[key] != value)
    }


def main() -> int:
    """Create or complete the Secret named by the only argument; exit code 0 also when it is as it should be."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m finops_operator.make_secrets NAME\n")
        return 2
    try:
        settings = from_environment(os.environ)
        labels = {"app.kubernetes.io/part-of": "finops-operator", "app.kubernetes.io/instance": settings.release}
        connection = connect()
        created = create_once(connection, settings.namespace, sys.argv[1], make, labels)
        completed = not created and update_once(connection, settings.namespace, sys.argv[1], missing)
    except FinopsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"secret {sys.argv[1]} {'created' if created else 'completed' if completed else 'exists'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
