"""What Reserved Instances, Savings Plans and capacity reservations pay for, and what an act saves beside them."""
