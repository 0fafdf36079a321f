"""WorkSpaces: desktops of single users."""
