"""What several checks of desktops judge in the same way."""
