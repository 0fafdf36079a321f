"""What Slack sends, one file per kind of click: parse, hand over, acknowledge."""
