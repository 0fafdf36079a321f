"""What waste looks like to AWS's own APIs, and what resembles it: an estate to measure checks with, and to look at."""
