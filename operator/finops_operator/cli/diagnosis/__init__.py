"""What `finops doctor` looks at, one file per part of the world; nothing here changes anything anywhere."""
