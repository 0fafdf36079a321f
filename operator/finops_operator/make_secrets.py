"""`python -m finops_operator.make_secrets NAME`: the chart's hook Job, run before every install and upgrade.

Makes the passwords of the store's users, their access list, the key that signs Slack buttons and the one that signs
the ledger, when the Secret is absent. An upgrade keeps passwords and keys, and writes the access list anew when this
version grants something else.
"""

from __future__ import annotations

import hashlib
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
_ACCESS_LIST = "users.acl"
_OPERATOR = "+@all -@admin -@dangerous -function -script|kill -script|flush +info +config|get"
# What the bot's parts of the store and the client's connection send, and nothing else.
_BOT = " ".join(
    f"+{command}"
    for command in (
        *("auth", "hello", "select", "ping", "client|setinfo", "info", "config|get"),
        *("get", "set", "del", "expire", "multi", "exec", "discard", "eval", "evalsha", "script|load"),
        *("hget", "hset", "hsetnx", "hdel", "hgetall", "hmget", "hkeys", "hexists", "hlen", "sadd", "smembers"),
        *("zadd", "zrem", "zcard", "zscore", "zrange", "zrangebyscore", "zremrangebyscore"),
    )
)


def make() -> Mapping[str, str]:
    """Return fresh values: `operator-password`, `slackbot-password`, `users.acl`, `button-key`, the ledger's keys."""
    operator, slackbot = secrets.token_hex(_BYTES), secrets.token_hex(_BYTES)
    return {
        "operator-password": operator,
        "slackbot-password": slackbot,
        _ACCESS_LIST: access_list(operator, slackbot),
        "button-key": secrets.token_hex(_BYTES),
        **_ledger_keys(new_private_key()),
    }


def _ledger_keys(private: str) -> dict[str, str]:
    """Return the key that signs the ledger's records, and the public one that `finops audit verify` needs."""
    return {SIGNING_KEY: private, PUBLIC_KEY: public_key_of(private)}


def mend(kept: Mapping[str, str]) -> Mapping[str, str]:
    """Return what has to change in a Secret that exists: the access list for its passwords, and keys that it lacks.

    A signing key that somebody replaced gets its public key beside it.
    """
    private = kept.get(SIGNING_KEY) or new_private_key()
    keys = {name: value for name, value in _ledger_keys(private).items() if kept.get(name) != value}
    wanted = access_list(kept.get("operator-password", ""), kept.get("slackbot-password", ""))
    if not kept.get("operator-password") or not kept.get("slackbot-password") or kept.get(_ACCESS_LIST) == wanted:
        return keys
    return {**keys, _ACCESS_LIST: wanted}


def access_list(operator_password: str, slackbot_password: str) -> str:
    """Return the store's users: nobody without a password, each with only its commands and keys.

    The operator may do all but administer the server; the bot writes its own keys and reads the rest, by a list of
    commands.
    """
    return "\n".join(
        (
            # Nobody can log in as the default user. resetpass, not nopass: protected mode turns every remote client
            # away while this user needs no password. All commands: it is the one as whom the server replays its
            # append-only file, and it drops the transactions that this user may not execute.
            "user default off resetpass ~* &* +@all",
            f"user operator on #{_hash(operator_password)} ~finops:* {_OPERATOR}",
            f"user slackbot on #{_hash(slackbot_password)} %RW~finops:slack:* %RW~finops:schema %R~finops:* {_BOT}",
            "",
        )
    )


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def main() -> int:
    """Create or mend the Secret named by the only argument; exit code 0 also when it is as it should be."""
    if len(sys.argv) != 2:
        sys.stderr.write("usage: python -m finops_operator.make_secrets NAME\n")
        return 2
    try:
        settings = from_environment(os.environ)
        labels = {"app.kubernetes.io/part-of": "finops-operator", "app.kubernetes.io/instance": settings.release}
        connection = connect()
        created = create_once(connection, settings.namespace, sys.argv[1], make, labels)
        mended = not created and update_once(connection, settings.namespace, sys.argv[1], mend)
    except FinopsError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"secret {sys.argv[1]} {'created' if created else 'mended' if mended else 'exists'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
