"""What the kind of tables is made of: metrics, reading, owners."""
