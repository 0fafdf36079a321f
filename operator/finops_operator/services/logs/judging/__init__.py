"""What the checks of log groups share: which may be judged, and what their data costs."""
