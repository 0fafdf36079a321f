"""Redshift: data warehouses on nodes of one's own."""
