"""Options that several commands share, so that they are spelled and explained alike."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import typer

from finops_operator.cli.output import Format

Output: TypeAlias = Annotated[
    Format, typer.Option("--output", "-o", help="How to print the data.", case_sensitive=False, show_default=True)
]
Redis: TypeAlias = Annotated[
    str,
    typer.Option(
        "--redis",
        metavar="URL",
        help="The store: redis://, rediss:// or unix://. Default: FINOPS_REDIS_URL, else the store of your own scans.",
    ),
]
Kubeconfig: TypeAlias = Annotated[
    str, typer.Option("--kubeconfig", metavar="FILE", help="Kubernetes configuration. Default: KUBECONFIG, ~/.kube.")
]
Context: TypeAlias = Annotated[
    str, typer.Option("--context", metavar="NAME", help="Context of the configuration. Default: the current one.")
]
Namespace: TypeAlias = Annotated[
    str, typer.Option("--namespace", "-n", metavar="NAME", help="Namespace. Default: the context's.")
]
Policy: TypeAlias = Annotated[
    str, typer.Option("--policy", metavar="NAMESPACE/NAME", help="Only this ScanPolicy. Default: all of them.")
]
Files: TypeAlias = Annotated[
    list[str],
    typer.Option(
        "--file", "-f", metavar="FILE", help="ScanPolicy and AwsAccount documents; - reads stdin. Repeatable."
    ),
]
OptionalFiles: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        "-f",
        metavar="FILE",
        help="ScanPolicy and AwsAccount documents; - reads stdin. Repeatable. Default: your own account.",
    ),
]
Wait: TypeAlias = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, max=600, help="How long to wait for the operator's answer.")
]
Request: TypeAlias = Annotated[
    str,
    typer.Argument(
        metavar="REQUEST", help="Name of the ActionRequest, id of its resource, or the ID that a listing shows."
    ),
]
Yes: TypeAlias = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask; for scripts.")]
