"""What several checks of node groups judge in the same way."""
