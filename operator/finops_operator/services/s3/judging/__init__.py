"""What the checks of buckets share: which may be judged, and how much one stores."""
