"""What a service declares (kinds, checks, actions), how it is loaded, and what many services share."""
