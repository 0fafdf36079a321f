"""What the operator is made of, each group of parts made from the settings; see docs/architecture.md."""
