"""What the kind of log groups is made of: owners."""
