"""Lambda: functions. Its own name is a word of Python, so the folder has another."""
