"""What several checks of instances and volumes judge in the same way."""
