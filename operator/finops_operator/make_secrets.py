"""`python -m finops_operator.make_secrets NAME`: the chart's hook Job, run before every install and upgrade.

Makes the passwords of the store's users, their access list, and the key that signs Slack buttons, when the Secret is
absent. An upgrade finds it and leaves it alone.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
from collections.abc import Mapping

from finops.errors import FinopsError
from finops.k8s.connection import connect
from finops.k8s.secrets import create_once
from finops.settings import from_environment

_BYTES = 32


def make() -> Mapping[str, str]:
    """Return fresh values: `operator-password`, `slackbot-password`, `users.acl`, `button-key`."""
    operator, slackbot = secrets.token_hex(_BYTES), secrets.token_hex(_BYTES)
    return {
        "operator-password": operator,
        "slackbot-password": slackbot,
        "users.acl": access_list(operator, slackbot),
        "button-key": secrets.token_hex(_BYTES),
    }


def access_list(operator_password: str, slackbot_password: str) -> str:
    """Return the store's users: nobody without a password, each with only its commands and keys.

    The operator may do all but administer the server; the bot writes its own keys and reads the rest.
    """
    allowed = "+@all -@admin -@dangerous +info +config|get"
    return "\n".join(
        (
            # Nobody can log in as the default user. resetpass, not nopass: protected mode turns every remote client
            # away while this user needs no password. All commands: it is the one as whom the server replays its
            # append-only file, and it drops the transactions that this user may not execute.
            "user default off resetpass ~* &* +@all",
            f"user operator on #{_hash(operator_password)} ~finops:* {allowed}",
            f"user slackbot on #{_hash(slackbot_password)} %RW~finops:slack:* %RW~finops:schema %R~finops:* {allowed}",
            "",
        )
    )


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def main() -> int:
    """Create the Secret named by the only argument; exit code 0 also when it exists."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m finops_operator.make_secrets NAME\n")
        return 2
    try:
        settings = from_environment(os.environ)
        labels = {"app.kubernetes.io/part-of": "finops-operator", "app.kubernetes.io/instance": settings.release}
        created = create_once(connect(), settings.namespace, sys.argv[1], make, labels)
    except FinopsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"secret {sys.argv[1]} {'created' if created else 'exists'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
