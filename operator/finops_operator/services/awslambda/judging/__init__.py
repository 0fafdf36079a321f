"""What the checks of functions share: which may be judged, and what is waited for."""
