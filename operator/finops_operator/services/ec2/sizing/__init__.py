"""Which instance type an instance needs."""
