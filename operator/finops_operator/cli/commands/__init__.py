"""One command per file, each exporting `COMMAND`; loaded by the registry, so a new command is a new file."""
