"""One line per event, and no secret in any of them."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from finops.logs import JsonFormatter, TextFormatter, configure

SECRETS = ("hunter2-hunter2", 'quo"te\\back\tslash', "pässwörd-long", "abc")


@pytest.fixture
def restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


def record(message: str, *arguments: object, error: BaseException | None = None, **extra: object) -> logging.LogRecord:
    info = None if error is None else (type(error), error, error.__traceback__)
    made = logging.LogRecord("finops.x", logging.WARNING, "f", 1, message, arguments, info)
    made.__dict__.update(extra)
    return made


@given(text=st.text(), value=st.text())
def test_an_event_is_one_line_of_json_whatever_its_text(text: str, value: str) -> None:
    line = JsonFormatter(()).format(record("%s", text, error=ValueError(value), request=value))

    assert len(line.splitlines()) == 1
    parsed = json.loads(line)
    assert parsed["message"] == text
    assert parsed["request"] == value
    assert parsed["level"] == "warning"
    assert value in parsed["exception"]


@given(text=st.text(), inside=st.text(), value=st.text())
def test_on_a_terminal_no_text_can_forge_a_line_or_a_colour(text: str, inside: str, value: str) -> None:
    lines = TextFormatter(()).format(record("%s", text, error=ValueError(inside), request=value)).split("\n")

    assert all(line.isprintable() for line in lines)
    assert all(line.startswith("    ") for line in lines[1:])


def test_on_a_terminal_an_event_ends_with_its_facts_as_in_json() -> None:
    line = TextFormatter(()).format(record("act: %s", "Succeeded", request="team-a/stop-1", attempt=2, why=None))

    assert line.endswith(" act: Succeeded request=team-a/stop-1 attempt=2 why=null")


@given(value=st.text())
def test_the_value_of_a_fact_passes_for_no_other_fact(value: str) -> None:
    line = TextFormatter(()).format(record("said", request=f"{value} state=Approved", state="Denied"))

    _, _, facts = line.partition(" said request=")
    _, end = json.JSONDecoder().raw_decode(facts)
    assert facts[end:] == " state=Denied"


@pytest.mark.parametrize("form", [JsonFormatter, TextFormatter])
@pytest.mark.parametrize("value", SECRETS[:3])
def test_secrets_are_blanked_in_facts_of_every_shape(form: type[JsonFormatter | TextFormatter], value: str) -> None:
    line = form(SECRETS).format(record("said", plain=value, inner={"url": f"redis://:{value}@host"}, many=[value]))

    assert line.count("***") == 3
    assert value not in line


@pytest.mark.parametrize("form", [JsonFormatter, TextFormatter])
@pytest.mark.parametrize("secret", SECRETS[:3])
def test_secrets_are_blanked_wherever_they_stand(form: type[JsonFormatter | TextFormatter], secret: str) -> None:
    formatter = form(SECRETS)

    line = formatter.format(record("to %s", f"redis://:{secret}@host", error=ValueError(secret), url=secret))

    assert "***" in line
    assert secret not in line
    assert json.dumps(secret)[1:-1] not in line


def test_short_values_are_no_secrets_and_ordinary_words_stay() -> None:
    assert "abc" in TextFormatter(SECRETS).format(record("abc"))


def test_facts_of_an_event_never_overwrite_its_own_fields() -> None:
    parsed = json.loads(JsonFormatter(()).format(record("said", level="forged", account="1")))

    assert (parsed["level"], parsed["account"]) == ("warning", "1")


@pytest.mark.parametrize(("form", "start"), [("json", "{"), ("text", "")])
def test_the_chosen_form_and_level_hold_for_every_logger(restored: None, form: str, start: str) -> None:
    stream = io.StringIO()
    configure(format_=form, level="INFO", secrets=SECRETS, stream=stream)

    logging.getLogger("anything").info("seen %s", SECRETS[0])
    logging.getLogger("anything").debug("not seen")
    logging.getLogger("botocore").info("chatter")
    logging.getLogger("uvicorn.error").info("chatter", extra={"color_message": "chatter"})

    (line,) = stream.getvalue().splitlines()
    assert line.startswith(start)
    assert "seen ***" in line
