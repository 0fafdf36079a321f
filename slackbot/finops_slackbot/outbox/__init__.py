"""Everything the bot writes to channels: projection, delivery, repair."""
