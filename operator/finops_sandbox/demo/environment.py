"""What each program of the demo may know: nothing of the user's own AWS, Kubernetes or Slack.

Environments are built from nothing, never inherited, so that no profile, endpoint or proxy of the user leaks in.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from finops_sandbox.aws.roles import BASE_ACCESS_KEY, BASE_SECRET_KEY, ENGINEER_ACCESS_KEY, ENGINEER_SECRET_KEY

_INHERITED: Final = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "VIRTUAL_ENV", "PYTHONPATH", "SYSTEMROOT")
_FORGOTTEN: Final = ("AWS_", "FINOPS_", "KUBE", "SLACK_")
BOT_TOKEN: Final = "xoxb-sandbox-finops"
APP_TOKEN: Final = "xapp-sandbox-finops"
HOST: Final = "127.0.0.1"


def forget_the_user() -> None:
    """Take the user's own AWS, Kubernetes, Slack, settings and proxies out of this process's environment."""
    for name in list(os.environ):
        if name.startswith(_FORGOTTEN) or name.lower().endswith("_proxy"):
            del os.environ[name]
    os.environ["NO_PROXY"] = "*"


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything of one demo is.

    Attributes:
        state: folder of all files, 0700.
        sockets: folder of the store's socket; another one when `state` has a long path.
        aws_url, store_url: addresses that are known before the programs run.
        operator_port, bot_port: for probes and metrics.
        web_port: the dashboard's.
    """

    state: Path
    sockets: Path
    aws_port: int
    operator_port: int
    bot_port: int
    web_port: int

    @property
    def aws_url(self) -> str:
        return f"http://{HOST}:{self.aws_port}"

    @property
    def web_url(self) -> str:
        return f"http://{HOST}:{self.web_port}"

    @property
    def store_url(self) -> str:
        return f"unix://{self.sockets}/valkey.sock"

    @property
    def ledger(self) -> Path:
        return self.state / "ledger.jsonl"

    @property
    def signing_key(self) -> Path:
        """Return the file of the key that signs the ledger."""
        return self.state / "ledger-signing-key.pem"

    @property
    def membership_key(self) -> Path:
        """Return the file of the key that operator and bot share."""
        return self.state / "membership-key"

    @property
    def public_key(self) -> Path:
        """Return the file of the key that checks the ledger."""
        return self.state / "ledger-public-key.pem"

    def kubeconfig(self, who: str) -> Path:
        """Return the file of a program (`operator`, `bot`, `web`), of everybody (`all`) or of people (`people`)."""
        return self.state / f"kubeconfig-{who}"


def bare(places: Places) -> dict[str, str]:
    """Return what every program gets; its home is the state folder, so that no file of the user is found."""
    kept = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    return {
        **kept,
        "HOME": str(places.state),
        "TMPDIR": str(places.state),
        "PYTHONUNBUFFERED": "1",
        # Whoever asks the loopback needs no proxy.
        "NO_PROXY": "*",
    }


def aws_variables(places: Places, access_key: str, secret_key: str) -> dict[str, str]:
    """Return the double's address and the key of a user of its estate."""
    return {
        "AWS_ENDPOINT_URL": places.aws_url,
        "AWS_ACCESS_KEY_ID": access_key,
        "AWS_SECRET_ACCESS_KEY": secret_key,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }


def _common(places: Places, who: str, port: int) -> dict[str, str]:
    return {
        **bare(places),
        "KUBECONFIG": str(places.kubeconfig(who)),
        "FINOPS_REDIS_URL": places.store_url,
        "FINOPS_MEMBERSHIP_KEY_FILE": str(places.membership_key),
        "FINOPS_METRICS_HOST": "127.0.0.1",
        "FINOPS_METRICS_PORT": str(port),
        "FINOPS_LOG_FORMAT": "text",
        "FINOPS_DEMO": "true",
    }


def operator_environment(places: Places) -> dict[str, str]:
    """Return what the chart would give the operator's pod."""
    return {
        **_common(places, "operator", places.operator_port),
        **aws_variables(places, BASE_ACCESS_KEY, BASE_SECRET_KEY),
        "FINOPS_LEDGER_PATH": str(places.ledger),
        "FINOPS_LEDGER_SIGNING_KEY_FILE": str(places.signing_key),
        "FINOPS_REQUEST_POLL_SECONDS": "1",
        "FINOPS_POD_NAME": "demo-operator",
    }


def bot_environment(places: Places, slack_api_url: str, button_key: str) -> dict[str, str]:
    """Return what the chart would give the bot's pod: Slack's tokens, nothing of AWS."""
    return {
        **_common(places, "bot", places.bot_port),
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_APP_TOKEN": APP_TOKEN,
        "FINOPS_SLACK_API_URL": slack_api_url,
        "FINOPS_BUTTON_KEY": button_key,
        "FINOPS_POD_NAME": "demo-bot",
    }


def web_environment(places: Places, session_key: str) -> dict[str, str]:
    """Return what the chart would give the dashboard's pod: the store and where the API server is, nothing of AWS."""
    return {
        **bare(places),
        "KUBECONFIG": str(places.kubeconfig("web")),
        "FINOPS_REDIS_URL": places.store_url,
        "FINOPS_WEB_HOST": HOST,
        "FINOPS_WEB_PORT": str(places.web_port),
        "FINOPS_WEB_SESSION_KEY": session_key,
        "FINOPS_LEDGER_PUBLIC_KEY_FILE": str(places.public_key),
        "FINOPS_LOG_FORMAT": "text",
        "FINOPS_DEMO": "true",
    }


def shell_file(places: Places) -> str:
    """Return the text of a file to source: after it, kubectl and finops use the demo.

    Its AWS key is that of a person who reads the production account, not the operator's; scans of one's own account are
    kept in the demo's folder, apart from those of the user's real accounts.
    """
    variables: Mapping[str, str] = {
        "KUBECONFIG": str(places.kubeconfig("people")),
        "FINOPS_REDIS_URL": places.store_url,
        "FINOPS_DEMO": "true",
        "FINOPS_LEDGER_PUBLIC_KEY_FILE": str(places.public_key),
        "XDG_STATE_HOME": str(places.state / "own-scans"),
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
        **aws_variables(places, ENGINEER_ACCESS_KEY, ENGINEER_SECRET_KEY),
    }
    unset = "unset AWS_PROFILE AWS_DEFAULT_PROFILE AWS_SESSION_TOKEN AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE\n"
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in variables.items())
    return f"{unset}{exports}export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH\n"
