"""Pure functions from facts to Slack's blocks and texts, one file each; every one passes Slack's limits by itself."""
