"""FOCUS, the open format of cost data, as this product writes it: columns, rows and rules, all pure.

Names, types and conditions are those of FOCUS 1.2 (focus.finops.org/focus-specification/v1-2). A scan sees what exists
and what it costs at list prices; what only an invoice can say stays null, and docs/focus.md lists it with the reason.
"""
