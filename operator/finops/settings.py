"""Settings of every process, read once from the environment (prefix `FINOPS_`), documented by a generated table.

Only composition roots call `from_environment`; everything below receives values.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from finops.errors import InvalidInput

PREFIX: Final = "FINOPS_"
_SERVICE_LINK: Final = re.compile(
    r"_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?)?)$"
)
"""What Kubernetes puts into every pod for each service of the namespace, such as FINOPS_VALKEY_PORT."""
_FOREIGN: Final = ("FINOPS_STORE_PASSWORD", "FINOPS_TEST", "FINOPS_UPDATE_", "FINOPS_WRITE_", "FINOPS_PRICE_DATA")
"""How names begin that others read: the chart, which puts the password into FINOPS_REDIS_URL, tests and generators."""
_LONGEST_NUMBER: Final = 18
_LONGEST_SHOWN: Final = 40
_TRUE: Final = frozenset({"1", "true", "yes", "on"})
_FALSE: Final = frozenset({"0", "false", "no", "off", ""})


def _setting(
    default: Any,
    description: str,
    *,
    secret: bool = False,
    variable: str = "",
    words: tuple[str, ...] = (),
    between: tuple[int, int] = (1, 86_400),
) -> Any:
    metadata = {
        "description": description,
        "secret": secret,
        "variable": variable,
        "words": words,
        "between": between,
    }
    return field(default=default, metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One value per environment variable; the variable is `FINOPS_` and the name in capitals unless said otherwise."""

    redis_url: str = _setting(
        "",
        "Store address: redis://, rediss:// or unix://, with password; #, /, ? and @ in it percent-encoded.",
        secret=True,
    )
    redis_prefix: str = _setting("finops:", "Prefix of all keys, so that several releases can share one server.")
    store_allow_volatile: bool = _setting(
        False, "Accept a server that evicts or keeps nothing on disk. Never act on it."
    )
    ledger_path: str = _setting("", "File of the ledger's second sink, on a volume. Empty: nothing can be acted upon.")
    log_format: str = _setting("json", "Log format: json or text.", words=("json", "text"))
    log_level: str = _setting(
        "INFO", "Log level: DEBUG, INFO, WARNING or ERROR.", words=("DEBUG", "INFO", "WARNING", "ERROR")
    )
    metrics_host: str = _setting(
        "0.0.0.0",  # noqa: S104 - probes and Prometheus come from outside the pod
        "Address that /metrics, /healthz and /readyz listen on.",
    )
    metrics_port: int = _setting(8080, "Port of /metrics, /healthz and /readyz.", between=(0, 65_535))
    namespace: str = _setting("finops-system", "Namespace the process runs in: its Lease and ConfigMaps live there.")
    release: str = _setting("finops-operator", "Release name: prefix of the Lease and the ConfigMaps.")
    pod_name: str = _setting("", "Identity of this process in the Lease; the pod's name.")
    watch_namespaces: tuple[str, ...] = _setting((), "Namespaces to serve, comma separated; empty: all.")
    scan_workers: int = _setting(
        8, "Threads that read AWS, shared by all scans; as many again wait for CloudWatch.", between=(1, 256)
    )
    aws_quota_percent: int = _setting(
        50,
        "Share of AWS's published request quotas that scans use, in percent; above 100 only where yours were raised.",
        between=(1, 1000),
    )
    scan_concurrency: int = _setting(2, "Policies scanned at the same time.", between=(1, 64))
    lease_seconds: int = _setting(30, "Duration of the executor's Lease.", between=(10, 600))
    canary_seconds: int = _setting(60, "How long an own write may take to come back as a watch event.")
    request_poll_seconds: int = _setting(5, "How often open requests are looked at without any event.")
    demo: bool = _setting(False, "The sandbox runs: every endpoint must be loopback and every card says demo.")
    slack_api_url: str = _setting("", "Web API address of a Slack double, e.g. http://127.0.0.1:9090/api/.")
    slack_bot_token: str = _setting("", "Bot token.", secret=True, variable="SLACK_BOT_TOKEN")
    slack_app_token: str = _setting("", "App-level token for socket mode.", secret=True, variable="SLACK_APP_TOKEN")
    button_key: str = _setting("", "Key that signs Slack buttons; made once by the chart.", secret=True)
    kill_point: str = _setting("", "Tests only: name of the boundary at which the process kills itself.")


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    for item in fields(Settings):
        if item.name == name:
            return str(item.metadata["variable"]) or PREFIX + name.upper()
    raise KeyError(name)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read all settings; `NAME_FILE` names a file that holds the value (mounted secrets).

    Raises:
        InvalidInput: a value does not parse, a file cannot be read, or a `FINOPS_` variable is unknown; names it.
    """
    known = {variable_of(item.name) for item in fields(Settings)}
    values: dict[str, Any] = {}
    for item in fields(Settings):
        variable = variable_of(item.name)
        text = _read(environment, variable)
        if text is not None:
            values[item.name] = _parse(variable, text, item)
    for variable in sorted(environment):
        if _is_unknown(variable, known):
            close = difflib.get_close_matches(variable, sorted(known), n=1)
            advice = f"did you mean {close[0]}? " if close else ""
            raise InvalidInput("no such setting", field=variable, hint=f"{advice}docs/settings.md lists them")
    return Settings(**values)


def _is_unknown(variable: str, known: Collection[str]) -> bool:
    if not variable.startswith(PREFIX) or variable in known or variable.removesuffix("_FILE") in known:
        return False
    return not variable.startswith(_FOREIGN) and _SERVICE_LINK.search(variable) is None


def _read(environment: Mapping[str, str], variable: str) -> str | None:
    path = environment.get(f"{variable}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise InvalidInput(
                f"cannot read {path}: {error.strerror}", field=f"{variable}_FILE", hint="mount the secret there"
            ) from error
        except UnicodeDecodeError:
            # The cause would quote the file, which holds a secret.
            raise InvalidInput(
                f"{path} is not text in UTF-8", field=f"{variable}_FILE", hint="save the value as UTF-8"
            ) from None
    return environment.get(variable)


def _parse(variable: str, text: str, item: Field[Any]) -> Any:
    default = item.default
    if isinstance(default, bool):
        lowered = text.strip().lower()
        if lowered in _TRUE | _FALSE:
            return lowered in _TRUE
        raise InvalidInput(f"{text!r} is neither true nor false", field=variable, hint="use true or false")
    if isinstance(default, int):
        if not text.strip().isdecimal() or len(text.strip()) > _LONGEST_NUMBER:
            raise InvalidInput(
                f"{text[:_LONGEST_SHOWN]!r} is not a whole number", field=variable, hint=f"the default is {default}"
            )
        lowest, highest = item.metadata["between"]
        if not lowest <= int(text) <= highest:
            raise InvalidInput(f"{text} is not between {lowest} and {highest}", field=variable)
        return int(text)
    if isinstance(default, tuple):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    words = item.metadata["words"]
    if words and text.strip() not in words:
        raise InvalidInput(f"{text.strip()!r} is unknown", field=variable, hint=f"use {', '.join(words)}")
    return text.strip()
