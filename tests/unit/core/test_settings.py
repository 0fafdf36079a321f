"""Settings come from the environment, once, and a bad one names itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from finops.errors import InvalidInput
from finops.settings import Settings, from_environment, variable_of


def test_without_variables_every_setting_has_its_default() -> None:
    assert from_environment({}) == Settings()


def test_each_type_is_read_as_it_is_written() -> None:
    found = from_environment(
        {
            "FINOPS_DEMO": " Yes ",
            "FINOPS_STORE_ALLOW_VOLATILE": "0",
            "FINOPS_SCAN_WORKERS": " 4 ",
            "FINOPS_WATCH_NAMESPACES": "a, b,,c ",
            "FINOPS_RELEASE": " r ",
            "SLACK_BOT_TOKEN": "xoxb-1",
        }
    )

    assert (found.demo, found.store_allow_volatile, found.scan_workers) == (True, False, 4)
    assert (found.watch_namespaces, found.release, found.slack_bot_token) == (("a", "b", "c"), "r", "xoxb-1")


def test_a_mounted_secret_is_read_from_its_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("abcdef\n", encoding="utf-8")

    assert from_environment({"FINOPS_BUTTON_KEY_FILE": str(tmp_path / "key")}).button_key == "abcdef"


@pytest.mark.parametrize(
    ("variable", "text", "words"),
    [
        ("FINOPS_DEMO", "perhaps", "neither true nor false"),
        ("FINOPS_SCAN_WORKERS", "many", "whole number"),
        ("FINOPS_SCAN_WORKERS", "0", "between 1 and 256"),
        ("FINOPS_SCAN_WORKERS", "", "whole number"),
        ("FINOPS_SCAN_CONCURRENCY", "-1", "between 1 and 64"),
        ("FINOPS_SCAN_WORKERS", "9" * 5000, "whole number"),
        ("FINOPS_LEASE_SECONDS", "3", "between 10 and 600"),
        ("FINOPS_METRICS_PORT", "70000", "between 0 and 65535"),
        # What Kubernetes injects for a service named finops-metrics.
        ("FINOPS_METRICS_PORT", "tcp://10.0.0.1:80", "whole number"),
        ("FINOPS_LOG_LEVEL", "CHATTY", "use DEBUG, INFO, WARNING, ERROR"),
        ("FINOPS_LOG_FORMAT", "xml", "use json, text"),
        ("FINOPS_SLACK_API", "x", "no such setting"),
        ("FINOPS_REDIS_URI", "x", "did you mean FINOPS_REDIS_URL?"),
        ("FINOPS_SCAN_WORKER", "4", "did you mean FINOPS_SCAN_WORKERS?"),
        ("FINOPS_ZZZ", "x", "docs/settings.md"),
        ("FINOPS_ZZZ_FILE", "x", "no such setting"),
        ("FINOPS_BUTTON_KEY_FILE", "/nonexistent/file", "cannot read"),
    ],
)
def test_a_bad_value_names_its_variable_and_what_to_write(variable: str, text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        from_environment({variable: text})

    assert caught.value.field == variable
    assert words in str(caught.value)


def test_a_mounted_secret_that_is_not_a_string_is_refused_without_being_quoted(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"s3cret\xff")

    with pytest.raises(InvalidInput, match="UTF-8") as caught:
        from_environment({"FINOPS_BUTTON_KEY_FILE": str(tmp_path / "key")})
    assert caught.value.__cause__ is None
    assert "s3cret" not in str(caught.value)


def test_links_to_services_that_kubernetes_injects_are_left_alone() -> None:
    links = {
        "FINOPS_VALKEY_PORT": "tcp://10.0.0.1:6379",
        "FINOPS_VALKEY_SERVICE_HOST": "10.0.0.1",
        "FINOPS_VALKEY_SERVICE_PORT": "6379",
        "FINOPS_VALKEY_SERVICE_PORT_REDIS": "6379",
        "FINOPS_VALKEY_PORT_6379_TCP": "tcp://10.0.0.1:6379",
        "FINOPS_VALKEY_PORT_6379_TCP_ADDR": "10.0.0.1",
    }
    found = from_environment({**links, "FINOPS_SLACK_API_URL": "http://x/"})

    assert found.slack_api_url == "http://x/"


def test_every_setting_is_described_and_its_default_is_allowed() -> None:
    for name, item in Settings.model_fields.items():
        assert str(item.description).endswith(".")
        assert getattr(Settings(**{name: item.default}), name) == item.default
        assert variable_of(name).isupper()
    with pytest.raises(KeyError):
        variable_of("nothing")


def test_every_number_has_bounds() -> None:
    for name, item in Settings.model_fields.items():
        if item.annotation is int:
            with pytest.raises(InvalidInput, match="between"):
                from_environment({variable_of(name): "999999999"})


def test_secrets_are_not_shown() -> None:
    shown = repr(from_environment({"FINOPS_REDIS_URL": "redis://:hunter2@x", "SLACK_BOT_TOKEN": "hunter2"}))
    assert "hunter2" not in shown
    assert "redis_prefix" in shown


def test_only_the_given_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINOPS_RELEASE", "other")
    assert Settings().release == "finops-operator"
    assert from_environment({}).release == "finops-operator"
