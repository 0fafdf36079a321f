"""What a scan found, as a report to read and to send on: gathered once, written for terminals, Markdown and HTML."""
