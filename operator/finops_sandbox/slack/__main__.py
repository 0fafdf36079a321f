"""`python -m finops_sandbox.slack`: the double as a program, for the demo's supervisor and for a pod.

One JSON line on stdout holds the address; SIGTERM and SIGINT stop it; exit code 2 for a bad file or a taken port.
"""

import argparse
import asyncio
import json
import signal
import sys
from pathlib import Path

from finops_sandbox.slack.server import SlackServer
from finops_sandbox.slack.workspace import DEFAULT_WORKSPACE, WorkspaceFileError


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line and serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m finops_sandbox.slack", description="A Slack double.")
    parser.add_argument("--host", default="127.0.0.1", help="address to bind (default: loopback only)")
    parser.add_argument("--port", type=int, default=8090, help="port to bind, 0 for any free one")
    parser.add_argument("--workspace", type=Path, default=DEFAULT_WORKSPACE, help="YAML file with the seed")
    parser.add_argument(
        "--advertise-host", default="", help="host:port to put into the socket's URL instead of the one the client used"
    )
    parser.add_argument("--limits", choices=("off", "normal", "strict"), default="normal", help="rate limits")
    options = parser.parse_args(arguments)
    try:
        server = SlackServer(
            host=options.host,
            port=options.port,
            workspace=options.workspace,
            advertise_host=options.advertise_host,
            limits=options.limits,
        )
        asyncio.run(_serve(server))
    except (WorkspaceFileError, OSError) as error:
        sys.stderr.write(f"the Slack double cannot start: {error}\n")
        return 2
    return 0


async def _serve(server: SlackServer) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await server.start()
    ready = {"url": server.url, "api_url": f"{server.url}/api/", "port": server.port, "page": f"{server.url}/"}
    sys.stdout.write(json.dumps(ready) + "\n")
    sys.stdout.flush()
    await stop.wait()
    await server.stop()


if __name__ == "__main__":
    sys.exit(main())
