"""Clean-up, audit notes and Slack channels: what runs beside scans and acts."""
