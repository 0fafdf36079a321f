"""What `finops doctor` checks, one file per part; nothing here changes anything anywhere."""
