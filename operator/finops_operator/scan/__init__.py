"""One scan: discover, measure, price, check, recommend, store."""
