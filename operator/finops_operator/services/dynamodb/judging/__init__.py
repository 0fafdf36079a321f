"""What the checks of tables share: which may be judged, and what capacity their use needs."""
