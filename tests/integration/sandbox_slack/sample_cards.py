"""Cards as the bot posts them, for tests and pictures of the double."""

from typing import Any

Block = dict[str, Any]


def plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}


def mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def card(name: str = "reports-3") -> list[Block]:
    confirm = {
        "title": plain(f"Resize {name}?"),
        "text": mrkdwn(f"*{name}* stops for about two minutes and starts as *m6i.large*. Undo stays possible."),
        "confirm": plain("Approve the resize"),
        "deny": plain("Not now"),
    }
    fields = [
        ("Account", "prod (`111122223333`), eu-west-1"),
        ("Owner", "<!subteam^S0SRE00001>"),
        ("Now → proposed", "m5.2xlarge → m6i.large"),
        ("Saving", "$210.24 a month, $2,522.88 a year"),
        ("CPU P99.5, 14 days", "9.1 % (coverage 99 %)"),
        ("Memory P99.5, 14 days", "31 % (coverage 97 %)"),
        ("Restart", "yes, about 2 minutes"),
        ("Undo", "yes, back to m5.2xlarge"),
    ]
    menu = [("Why this?", "why"), ("Exclude for 90 days", "exclude"), ("Copy kubectl command", "kubectl")]
    return [
        {"type": "header", "text": plain(f"Resize {name}: save $210.24 a month")},
        {"type": "section", "text": mrkdwn(f"`{name}` (<https://console.example.com/i-0abc|i-0abc>) is too large.")},
        {"type": "section", "fields": [mrkdwn(f"*{title}*\n{text}") for title, text in fields]},
        {"type": "divider"},
        {
            "type": "context",
            "elements": [
                mrkdwn("Policy *production* · ec2_instance_overprovisioned"),
                mrkdwn("Expires <!date^1795700000^{date_short} {time}|in two days> · 0 of 1 approvals"),
            ],
        },
        {
            "type": "actions",
            "block_id": "decide:1",
            "elements": [
                {
                    "type": "button",
                    "action_id": "approve",
                    "style": "primary",
                    "text": plain("Approve"),
                    "value": "v1",
                    "confirm": confirm,
                },
                {"type": "button", "action_id": "deny", "style": "danger", "text": plain("Deny…"), "value": "v1"},
                {"type": "button", "action_id": "details", "text": plain("Details"), "value": "v1"},
                {
                    "type": "overflow",
                    "action_id": "more",
                    "options": [{"text": plain(text), "value": value} for text, value in menu],
                },
            ],
        },
    ]


def decided_card(name: str, status: str) -> list[Block]:
    return [
        {"type": "header", "text": plain(f"Resize {name}: save $96.36 a month")},
        {"type": "section", "text": mrkdwn(status)},
        {"type": "context", "elements": [mrkdwn("Policy *production* · 1 of 1 approvals: <@U0ALICE001>")]},
        {
            "type": "actions",
            "elements": [{"type": "button", "action_id": "undo", "text": plain("Undo"), "value": "v1"}],
        },
    ]


def deny_view() -> dict[str, Any]:
    reasons = [("Needed soon", "soon"), ("Figures look wrong", "wrong"), ("Other", "other")]
    return {
        "type": "modal",
        "callback_id": "deny",
        "title": plain("Deny the resize"),
        "submit": plain("Deny"),
        "close": plain("Back"),
        "notify_on_close": True,
        "private_metadata": "v1",
        "blocks": [
            {
                "type": "section",
                "text": mrkdwn("*reports-3* stays as it is. Everyone in <#C0FINOPS01> sees the reason."),
            },
            {
                "type": "input",
                "block_id": "kind",
                "label": plain("Kind of reason"),
                "element": {
                    "type": "radio_buttons",
                    "action_id": "kind",
                    "options": [{"text": plain(text), "value": value} for text, value in reasons],
                },
            },
            {
                "type": "input",
                "block_id": "reason",
                "label": plain("Reason"),
                "hint": plain("At least ten characters; it goes into the ledger."),
                "element": {"type": "plain_text_input", "action_id": "reason", "multiline": True},
            },
            {
                "type": "input",
                "block_id": "again",
                "optional": True,
                "label": plain("Ask again"),
                "element": {
                    "type": "static_select",
                    "action_id": "again",
                    "placeholder": plain("When"),
                    "options": [
                        {"text": plain("In 30 days"), "value": "30"},
                        {"text": plain("In 90 days"), "value": "90"},
                    ],
                },
            },
        ],
    }
