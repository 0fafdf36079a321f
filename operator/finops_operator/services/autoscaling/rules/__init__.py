"""What the actions on Auto Scaling groups judge by."""
