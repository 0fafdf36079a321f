"""Entry point of the bot: `finops-slackbot`, `python -m finops_slackbot`."""

from __future__ import annotations

import logging
import os
import sys

from finops import logs
from finops.errors import InvalidInput
from finops.k8s.connection import connect
from finops.settings import Settings, from_environment
from finops_slackbot.bootstrap import run


def main() -> int:
    """Run until asked to stop. Returns 0, or 2 when a setting is missing or wrong."""
    logs.configure(format_="json", level="INFO")
    try:
        settings = from_environment(os.environ)
        logs.configure(format_=settings.log_format, level=settings.log_level, secrets=_secrets(settings))
        run(settings, connect())
    except InvalidInput as error:
        logging.getLogger(__name__).error("cannot start", extra={"error": str(error)})  # noqa: TRY400 - the message says all
        return 2
    return 0


def _secrets(settings: Settings) -> tuple[str, ...]:
    return (settings.slack_bot_token, settings.slack_app_token, settings.button_key, settings.redis_url)


if __name__ == "__main__":
    sys.exit(main())
