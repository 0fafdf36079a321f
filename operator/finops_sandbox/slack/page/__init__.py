"""The workspace as people see it: HTML made on the server, one script and one style sheet of its own."""
