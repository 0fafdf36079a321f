"""EFS: file systems that many machines mount at once."""
