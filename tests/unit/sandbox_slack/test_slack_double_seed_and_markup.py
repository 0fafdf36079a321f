"""Seed and markup of the Slack double: bad workspace files are named, ids are unique, text reads as in Slack."""

from pathlib import Path

import pytest
import yaml

from finops_sandbox.slack import blocks
from finops_sandbox.slack.clock import Clock
from finops_sandbox.slack.page.markup import Html, join, tag
from finops_sandbox.slack.page.mrkdwn import mrkdwn
from finops_sandbox.slack.state import State
from finops_sandbox.slack.workspace import WorkspaceFileError, read_workspace

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[", "expected"),
        ("team: {}", "at least team, app"),
        ("team: {id: T1, name: t, domain: d, colour: red}", "at least team"),
    ],
)
def test_a_bad_workspace_file_is_named(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(text)
    with pytest.raises(WorkspaceFileError, match=problem) as caught:
        read_workspace(path)
    assert str(path) in str(caught.value)


def test_an_unknown_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "w.yaml"
    path.write_text(read_workspace().path.read_text().replace("domain: finops-sandbox", "domain: d, colour: red"))
    with pytest.raises(WorkspaceFileError, match="colour"):
        read_workspace(path)


def test_a_view_is_measured_in_bytes() -> None:
    assert blocks.view_bytes({"a": "é"}) == len('{"a":"é"}'.encode())


def test_a_channel_may_only_name_known_people(tmp_path: Path) -> None:
    seed = read_workspace()
    path = tmp_path / "w.yaml"
    path.write_text(seed.path.read_text().replace("members: [U0DAVE0001]}", "members: [U0NOBODY01]}"))
    with pytest.raises(WorkspaceFileError, match="U0NOBODY01"):
        read_workspace(path)


def test_the_app_of_the_sandbox_is_installed_as_the_products_manifest_has_it() -> None:
    manifest = yaml.safe_load((ROOT / "slackbot" / "manifest.yaml").read_text(encoding="utf-8"))
    app, token = read_workspace().app(), read_workspace().tokens()["xoxb-sandbox-finops"]
    assert token.scopes == manifest["oauth_config"]["scopes"]["bot"]
    assert app.commands == [one["command"] for one in manifest["features"].get("slash_commands", [])]
    assert app.events == manifest["settings"].get("event_subscriptions", {}).get("bot_events", [])


@pytest.fixture
def state() -> State:
    return State(read_workspace(), Clock(lambda: 1_800_000_000.0))


def test_ids_of_the_seed_are_unique_over_resets(state: State) -> None:
    state.conversations.channels["C0FINOPS01"].members.clear()
    state.directory.groups["S0SRE00001"].members.clear()
    state.reset()
    assert "U0ALICE001" in state.conversations.channels["C0FINOPS01"].members
    assert "U0ALICE001" in state.directory.groups["S0SRE00001"].members


def test_timestamps_grow_even_when_time_stands(state: State) -> None:
    first, second = state.issuer.next_ts(), state.issuer.next_ts()
    assert first < second


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("*a _b_* ~c~ `d*e*`", "<strong>a <em>b</em></strong> <s>c</s> <code>d*e*</code>"),
        ("2*3*4 snake_case_name", "2*3*4 snake_case_name"),
        ("<@U0ALICE001> <#C0FINOPS01>", '<span class="mention">@alice</span> <span class="mention">#finops</span>'),
        ("<!subteam^S0SRE00001>", '<span class="mention">@sre</span>'),
        ("<!channel>", '<span class="mention loud">@channel</span>'),
        ("a\nb", "a<br>b"),
        ("&gt; quoted\nnot", "<blockquote>quoted</blockquote>not"),
        ("a\n```\nx &lt; *y*\n```\n&gt; q", "a<pre>x &lt; *y*</pre><blockquote>q</blockquote>"),
        ("&lt;b&gt;&amp;", "&lt;b&gt;&amp;"),
        ("<javascript:alert(1)|x>", "&lt;javascript:alert(1)|x&gt;"),
        (":white_check_mark: :nothing:", "✅ :nothing:"),
        ("<!date^1800000000^{date_short} {time}|later>", None),
        ("*bold `code`*", "<strong>bold <code>code</code></strong>"),
        ("&gt;" * 700 + "deep", "<blockquote>deep</blockquote>"),
    ],
)
def test_mrkdwn_reads_as_in_slack(state: State, stored: str, shown: str | None) -> None:
    date = '<time datetime="2027-01-15T08:00:00+00:00" title="later">15 Jan 2027 08:00 UTC</time>'
    assert mrkdwn(state, stored) == (shown or date)


def test_links_keep_their_quotes_inside_the_attribute(state: State) -> None:
    shown = mrkdwn(state, '<https://x.example/"onmouseover="alert(1)|x>')
    assert '"onmouseover' not in shown
    assert "&quot;onmouseover" in shown


def test_markup_escapes_whatever_is_not_markup() -> None:
    assert (
        tag("p", {"title": '"x"', "hidden": False}, "<b>", Html("<i>")) == '<p title="&quot;x&quot;">&lt;b&gt;<i></p>'
    )
    assert join(None, "&") == "&amp;"
