"""Settings of every process, read once from the environment (prefix `FINOPS_`), documented by a generated table.

Only composition roots call `from_environment`; everything below receives values. Names, types and bounds are
pydantic-settings'; ours are the files of mounted secrets (`NAME_FILE`), the refusal of names that do not exist, and
the sentences.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import AliasGenerator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from finops.errors import InvalidInput

PREFIX: Final = "FINOPS_"
_SERVICE_LINK: Final = re.compile(
    r"_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT(_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?)?)$"
)
"""What Kubernetes puts into every pod for each service of the namespace, such as FINOPS_VALKEY_PORT."""
_FOREIGN: Final = (
    "FINOPS_STORE_PASSWORD",
    "FINOPS_TEST",
    "FINOPS_UPDATE_",
    "FINOPS_WRITE_",
)
"""How names begin that others read: the chart, which puts the password into FINOPS_REDIS_URL, tests and generators."""
_LONGEST_SHOWN: Final = 40


def _split(value: Any) -> Any:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


def _off_when_empty(value: Any) -> Any:
    return "off" if value == "" else value


_Switch = Annotated[bool, BeforeValidator(_off_when_empty)]
_Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
_Seconds = Annotated[int, Field(ge=1, le=86_400)]
_Secret: Final = Field(repr=False)
"""Marks a value that is never shown; the generated page says so too."""


class Settings(BaseSettings):
    """One value per environment variable; the variable is `FINOPS_` and the name in capitals unless said otherwise."""

    model_config = SettingsConfigDict(
        alias_generator=AliasGenerator(validation_alias=lambda name: PREFIX + name.upper()),
        validate_by_name=True,
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
    )

    redis_url: Annotated[str, _Secret] = Field(
        "",
        description="Store address: redis://, rediss:// or unix://, with password; "
        "#, /, ? and @ in it percent-encoded.",
    )
    redis_prefix: str = Field(
        "finops:", description="Prefix of all keys, so that several releases can share one server."
    )
    store_allow_volatile: _Switch = Field(
        False, description="Accept a server that evicts or keeps nothing on disk. Never act on it."
    )
    store_allow_unauthenticated: _Switch = Field(
        False,
        description="Accept a store address without a password. "
        "Everyone who reaches that server can change what it holds.",
    )
    ledger_path: str = Field(
        "",
        description="File of the ledger's second sink, on a volume that supports locks (flock). Empty, and no "
        "FINOPS_LEDGER_S3: nothing can be acted upon.",
    )
    ledger_s3: str = Field(
        "",
        description="`s3://BUCKET/PREFIX` in which each record of the ledger is kept under Object Lock, instead of the "
        "file or besides.",
    )
    ledger_s3_region: str = Field("", description="Region of that bucket. Empty: the SDK's own.")
    ledger_s3_role_arn: str = Field(
        "", description="Role that is assumed to write that bucket. Empty: the operator's own identity."
    )
    ledger_s3_mode: Literal["Compliance", "Governance"] = Field(
        "Compliance",
        description="Retention mode of its objects: Compliance, which nobody can end early, or Governance.",
    )
    ledger_s3_retention_days: int = Field(
        400, ge=0, le=36_500, description="For how long each object is locked. 0: for the bucket's default retention."
    )
    ledger_log: _Switch = Field(
        False,
        description="Also write each record of the ledger to stdout, one line of JSON, for a log pipeline to keep. "
        "It replaces no file: a log cannot be compared at a start.",
    )
    ledger_signing_key: Annotated[str, _Secret] = Field(
        "", description="Private Ed25519 key (PEM) that signs the ledger's records; made once by the chart."
    )
    ledger_trusted_keys: str = Field(
        "",
        description="Public keys (PEM) that signed the ledger before the present one; their records stay valid, "
        "for the dashboard too.",
    )
    ledger_public_key: str = Field(
        "",
        description="Public keys (PEM) by which the dashboard checks the ledger's signatures; read from a file by "
        "`finops audit verify` too. Empty: the dashboard says that signatures were not checked.",
    )
    log_format: Literal["json", "text"] = Field("json", description="Log format: json or text.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Log level: DEBUG, INFO, WARNING or ERROR."
    )
    metrics_host: str = Field(
        "0.0.0.0",  # noqa: S104 - probes and Prometheus come from outside the pod
        description="Address that /metrics, /healthz and /readyz listen on.",
    )
    metrics_port: int = Field(8080, ge=0, le=65_535, description="Port of /metrics, /healthz and /readyz.")
    namespace: str = Field(
        "finops-system", description="Namespace the process runs in: its Lease and ConfigMaps live there."
    )
    release: str = Field("finops-operator", description="Release name: prefix of the Lease and the ConfigMaps.")
    slack_attester: str = Field(
        "",
        description="User name of the service account that may vouch for Slack voters. Empty: RELEASE-slackbot in the "
        "namespace of the process.",
    )
    pod_name: str = Field("", description="Identity of this process in the Lease; the pod's name.")
    watch_namespaces: _Names = Field((), description="Namespaces to serve, comma separated; empty: all.")
    scan_job_template: str = Field(
        "",
        description="File with the Job that scans in pods are made of; written by the chart. Empty: no policy may ask "
        "for them.",
    )
    scan_job_admission: str = Field(
        "",
        description="File with the admission policy and its binding that bound which Jobs can be made, as they should "
        "be; written by the chart. While the cluster has others, no pod is made.",
    )
    scan_workers: int = Field(
        8, ge=1, le=256, description="Threads that read AWS, shared by all scans; as many again wait for CloudWatch."
    )
    aws_quota_percent: int = Field(
        50,
        ge=1,
        le=1000,
        description="Share of AWS's request quotas that scans use, in percent; above 100 only where yours were raised.",
    )
    price_tables: str = Field(
        "",
        description="Folder of price tables that `finops prices refresh` has written; they are asked before those of "
        "this release. Empty: those of this release alone.",
    )
    scan_concurrency: int = Field(2, ge=1, le=64, description="Policies scanned at the same time.")
    lease_seconds: int = Field(30, ge=10, le=600, description="Duration of the executor's Lease.")
    termination_seconds: int = Field(
        120,
        ge=30,
        le=3600,
        description="Time the pod has to end; an operator scaled to zero leads its acts back in it.",
    )
    canary_seconds: _Seconds = Field(60, description="How long an own write may take to come back as a watch event.")
    request_poll_seconds: _Seconds = Field(5, description="How often open requests are checked without any event.")
    watch_seconds: _Seconds = Field(300, description="How often AWS is read in the hours after an act.")
    demo: _Switch = Field(
        False, description="The sandbox runs: every endpoint must be loopback and every card says demo."
    )
    slack_api_url: str = Field("", description="Web API address of a Slack double, e.g. http://127.0.0.1:9090/api/.")
    slack_bot_token: Annotated[str, _Secret] = Field("", validation_alias="SLACK_BOT_TOKEN", description="Bot token.")
    slack_app_token: Annotated[str, _Secret] = Field(
        "", validation_alias="SLACK_APP_TOKEN", description="App-level token for socket mode."
    )
    button_key: Annotated[str, _Secret] = Field(
        "", description="Key that signs Slack buttons, and what the bot keeps to be shown; made once by the chart."
    )
    membership_key: Annotated[str, _Secret] = Field(
        "",
        description="Key with which the bot signs lists of Slack group members for the operator, and the operator "
        "alerts for the bot; made by the chart.",
    )
    web_host: str = Field(
        "0.0.0.0",  # noqa: S104 - the Service and its probes come from outside the pod
        description="Address that the dashboard listens on.",
    )
    web_port: int = Field(8080, ge=0, le=65_535, description="Port of the dashboard and its API.")
    web_metrics_port: int = Field(
        0, ge=0, le=65_535, description="Port on which the dashboard serves /metrics and nothing else. 0: none."
    )
    web_session_key: Annotated[str, _Secret] = Field(
        "", description="Key that seals the dashboard's sign-in cookies. Empty: a random one, lost at a restart."
    )
    web_address: str = Field(
        "",
        description="Address under which people reach the dashboard, such as https://finops.example.org. "
        "Needed for sign-in by OIDC: the issuer sends people back to /sign-in/callback there. "
        "With it the bot's alerts link to the dashboard.",
    )
    push_token: Annotated[str, _Secret] = Field(
        "", description="Token of the cluster with which `finops scan --push` sends a scan to a dashboard elsewhere."
    )
    oidc_issuer: str = Field(
        "",
        description="Issuer of OpenID Connect by which people sign in to the dashboard, exactly as the API server's "
        "--oidc-issuer-url. Empty: by tokens of the cluster alone.",
    )
    oidc_client_id: str = Field("", description="Client id of the dashboard, as the API server's --oidc-client-id.")
    oidc_client_secret: Annotated[str, _Secret] = Field(
        "", description="Secret of that client. Empty: a public client, protected by PKCE alone."
    )
    oidc_scopes: _Names = Field(
        ("email", "profile"), description="Scopes asked for beside openid, comma separated; groups may need one."
    )
    oidc_username_claim: str = Field("sub", description="As the API server's --oidc-username-claim.")
    oidc_username_prefix: str = Field(
        "",
        description="As the API server's --oidc-username-prefix. Empty: its default, which is none for the claim email "
        "and else the issuer and #; - means none.",
    )
    oidc_groups_claim: str = Field("", description="As the API server's --oidc-groups-claim. Empty: no groups.")
    oidc_groups_prefix: str = Field("", description="As the API server's --oidc-groups-prefix.")
    oidc_ca: str = Field(
        "",
        description="Certificates (PEM) that the issuer's own must come from. Empty: those of public authorities.",
    )
    oidc_title: str = Field("", description="What the sign-in button calls the issuer. Empty: its host.")
    webhooks: Annotated[str, _Secret] = Field(
        "",
        description="Endpoints that get events: a JSON list of {name, url, types}; types are prefixes, all without. "
        "Empty: none.",
    )
    webhook_secrets: str = Field(
        "/var/run/finops/webhooks", description="Folder with one file per endpoint's name: its signing secret, whsec_…."
    )
    webhooks_allow_internal: _Switch = Field(
        False, description="Tests on one machine only: webhooks go to internal addresses too, and by http."
    )
    kill_point: str = Field("", description="Tests only: name of the boundary at which the process kills itself.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read nothing but what is given: the environment is an argument of `from_environment`."""
        return (init_settings,)


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    return str(Settings.model_fields[name].validation_alias)


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read all settings; `NAME_FILE` names a file that holds the value (mounted secrets).

    Raises:
        InvalidInput: a value does not parse, a file cannot be read, or a `FINOPS_` variable is unknown; names it.
    """
    known = {variable_of(name): name for name in Settings.model_fields}
    source = EnvSettingsSource(Settings, case_sensitive=True)
    source.env_vars = {variable: text for variable in known if (text := _read(environment, variable)) is not None}
    try:
        found = Settings(**source())
    except ValidationError as error:
        worst = error.errors(include_url=False, include_context=False)[0]
        variable = str(worst["loc"][0])
        raise _unusable(variable, known[variable], str(worst["input"])) from None
    for variable in sorted(environment):
        if _is_unknown(variable, known):
            close = difflib.get_close_matches(variable, sorted(known), n=1)
            advice = f"did you mean {close[0]}? " if close else ""
            raise InvalidInput("no such setting", field=variable, hint=f"{advice}docs/settings.md lists them")
    return found


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
    text = environment.get(variable)
    return None if text is None else text.strip()


def _unusable(variable: str, name: str, text: str) -> InvalidInput:
    """Return what is wrong with `text`, in a sentence; what can be wrong is a number, a switch or a word of a list."""
    item = Settings.model_fields[name]
    shown = text[:_LONGEST_SHOWN]
    if item.annotation is bool:
        return InvalidInput(f"{shown!r} is neither true nor false", field=variable, hint="use true or false")
    if item.annotation is int:
        bounds = Settings.model_json_schema()["properties"][variable]
        if re.fullmatch(r"[+-]?\d{1,18}", shown):
            return InvalidInput(f"{shown} is not between {bounds['minimum']} and {bounds['maximum']}", field=variable)
        return InvalidInput(f"{shown!r} is not a whole number", field=variable, hint=f"the default is {item.default}")
    return InvalidInput(
        f"{shown!r} is unknown", field=variable, hint=f"use {', '.join(map(str, get_args(item.annotation)))}"
    )
