"""The command line, `finops` and `kubectl finops`: data on stdout, messages on stderr, exit codes scripts can trust."""
