"""``python -m finops_sandbox.kubernetes``: the API server as a process of the demo.

Prints one line when it is ready and stops on SIGTERM or SIGINT. ``/readyz`` answers without a token.
"""

import argparse
import asyncio
import json
import logging
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from finops_sandbox.kubernetes.accounts import (
    DEFAULT_SERVICE_ACCOUNTS,
    DEFAULT_USERS,
    Accounts,
    ServiceAccount,
    User,
    kubeconfig,
    write_kubeconfig,
)
from finops_sandbox.kubernetes.audit import AuditLog
from finops_sandbox.kubernetes.cluster import Cluster, ManifestError
from finops_sandbox.kubernetes.server import Listener, Server
from finops_sandbox.kubernetes.tls import make_certificates, write_private


def _user(text: str) -> User:
    name, _, groups = text.partition("=")
    return User(name, tuple(filter(None, groups.split(","))))


def _service_account(text: str) -> ServiceAccount:
    context, _, place = text.partition("=")
    namespace, slash, name = place.partition("/")
    if not slash or not name:
        message = f"{text!r}: write CONTEXT=NAMESPACE/NAME"
        raise argparse.ArgumentTypeError(message)
    return ServiceAccount(context, namespace, name)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m finops_sandbox.kubernetes", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0: the system chooses")
    parser.add_argument("--crds", type=Path, nargs="*", default=[], help="files or folders with definitions")
    parser.add_argument("--manifests", type=Path, nargs="*", default=[], help="files or folders loaded after them")
    parser.add_argument("--kubeconfig", type=Path, help="where to write the kubeconfig of all accounts")
    parser.add_argument("--token-file", type=Path, help="where to write the tokens as JSON, by context")
    parser.add_argument("--audit-log", type=Path, help="where to append one JSON line per request")
    parser.add_argument("--state", type=Path, help="folder for the certificates; default: a temporary one")
    parser.add_argument(
        "--user", type=_user, action="append", default=[], help="NAME[=GROUP,...], besides the defaults"
    )
    parser.add_argument(
        "--service-account", type=_service_account, action="append", default=[], help="CONTEXT=NAMESPACE/NAME"
    )
    return parser


def _accounts(arguments: argparse.Namespace) -> Accounts:
    """The defaults, replaced and extended by what was named on the command line."""
    by_context: dict[str, User | ServiceAccount] = {a.context: a for a in (*DEFAULT_USERS, *DEFAULT_SERVICE_ACCOUNTS)}
    by_context |= {account.context: account for account in (*arguments.user, *arguments.service_account)}
    return Accounts(by_context.values())


async def _serve(arguments: argparse.Namespace, state: Path) -> None:
    accounts = _accounts(arguments)
    cluster = Cluster(accounts)
    cluster.apply(arguments.crds)
    cluster.apply(arguments.manifests)
    audit = AuditLog(arguments.audit_log)
    ca_file, context = make_certificates(state, arguments.host)
    listener = Listener(Server(cluster, audit), arguments.host, arguments.port, context)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await listener.start()
    url = f"https://{arguments.host}:{listener.port}"
    if arguments.kubeconfig:
        write_kubeconfig(arguments.kubeconfig, kubeconfig(url, ca_file.read_bytes(), accounts, accounts.all[0].context))
    if arguments.token_file:
        write_private(arguments.token_file, json.dumps(accounts.tokens).encode())
    sys.stdout.write(f"ready {url}\n")
    sys.stdout.flush()
    await stop.wait()
    await listener.stop()
    audit.close()


def main(argv: Sequence[str] | None = None) -> int:
    """Run until asked to stop. Returns the exit code: 0 stopped, 1 a manifest or the port is refused."""
    arguments = _parser().parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="finops-kubernetes-") as temporary:
        try:
            asyncio.run(_serve(arguments, arguments.state or Path(temporary)))
        except (ManifestError, OSError) as error:
            sys.stderr.write(f"error: {error}\n")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
