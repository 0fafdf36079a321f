"""`python -m finops_operator.store_users [FILE]`: the access list of the store's users, for the chart's Valkey.

An init container writes it before every start of the server, so the list always fits the version that is installed.
Without FILE it goes to standard output, for a server of one's own. The passwords come from
FINOPS_STORE_PASSWORD_OPERATOR, FINOPS_STORE_PASSWORD_SLACKBOT and FINOPS_STORE_PASSWORD_WEB; only their hashes are
written.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Final

_VARIABLE = "FINOPS_STORE_PASSWORD"
_OPERATOR = "+@all -@admin -@dangerous -function -script|kill -script|flush +info +config|get"
# What the bot's parts of the store and the client's connection send, and nothing else.
_BOT = " ".join(
    f"+{command}"
    for command in (
        *("auth", "hello", "select", "ping", "client|setinfo", "info", "config|get"),
        *("get", "set", "del", "expire", "multi", "exec", "discard", "eval", "evalsha", "script|load"),
        *("hget", "hset", "hsetnx", "hdel", "hgetall", "hmget", "hkeys", "hexists", "hlen", "sadd", "smembers"),
        *("zadd", "zrem", "zcard", "zscore", "zrange", "zrangebyscore", "zremrangebyscore"),
        "xrange",
    )
)

# Commands that read keys whose names are known, and those by which people end sessions and scanners push resources:
# none that lists names or runs a script.
_WEB = " ".join(
    f"+{command}"
    for command in (
        *("auth", "hello", "select", "ping", "client|setinfo", "multi", "exec", "discard"),
        *("get", "mget", "exists", "hget", "hmget", "hgetall", "hexists", "hlen", "smembers", "sismember", "scard"),
        *("zscore", "zcard", "zrange", "zrevrange", "zrangebyscore", "lrange", "llen", "xrange", "xrevrange", "xlen"),
        *("set", "hset", "hsetnx", "hdel", "hincrby"),
    )
)
_USERS: Final = ("OPERATOR", "SLACKBOT", "WEB")


def access_list(operator_password: str, slackbot_password: str, web_password: str) -> str:
    """Return the store's users: nobody without a password, each with only its commands and keys.

    The operator may do all but administer the server; the bot writes its own keys and reads the rest, by a list of
    commands; the dashboard writes which of its sessions people have ended and what was pushed to it, and nothing else.
    """
    return "\n".join(
        (
            # Nobody can log in as the default user. resetpass, not nopass: protected mode turns every remote client
            # away while this user needs no password. All commands: it is the one as whom the server replays its
            # append-only file, and it drops the transactions that this user may not execute.
            "user default off resetpass ~* &* +@all",
            f"user operator on #{_hash(operator_password)} ~finops:* {_OPERATOR}",
            f"user slackbot on #{_hash(slackbot_password)} %RW~finops:slack:* %RW~finops:schema %R~finops:* {_BOT}",
            f"user web on #{_hash(web_password)} %RW~finops:web:* %R~finops:* {_WEB}",
            "",
        )
    )


def _hash(password: str) -> str:
    return hashlib.sha256(password.encode()).hexdigest()


def main() -> int:
    """Write the list; exit code 2 when called wrongly or without the passwords."""
    passwords = [os.environ.get(f"{_VARIABLE}_{user}", "") for user in _USERS]
    if len(sys.argv) > 2 or not all(passwords):
        sys.stderr.write(
            "usage: python -m finops_operator.store_users [FILE], "
            f"with the passwords in {', '.join(f'{_VARIABLE}_{user}' for user in _USERS)}\n"
        )
        return 2
    text = access_list(*passwords)
    if len(sys.argv) == 1:
        sys.stdout.write(text)
        return 0
    try:
        Path(sys.argv[1]).write_text(text, encoding="utf-8")
    except OSError as error:
        sys.stderr.write(f"cannot write {sys.argv[1]}: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
