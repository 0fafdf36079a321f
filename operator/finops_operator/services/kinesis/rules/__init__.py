"""What the kind of streams is made of: where the price list has their figures."""
