"""Price sources, one file each, and the facts about instance types that ship with them."""
