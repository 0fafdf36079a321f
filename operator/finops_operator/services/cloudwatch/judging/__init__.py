"""What several checks of alarms judge in the same way."""
