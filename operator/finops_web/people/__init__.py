"""Who asks, and what they may see: tokens, sessions, forms."""
