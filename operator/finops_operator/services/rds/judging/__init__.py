"""What several checks of databases and clusters judge in the same way."""
