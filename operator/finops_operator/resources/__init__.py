"""Resource kinds, one file each, exporting `KIND`: how to list, measure, price and show one kind of AWS resource."""
