"""Who may pass: people, user groups, and one release per Slack app."""
