"""Webhooks: what is sent to an administrator's list of addresses, signed, retried, and never to internal ones."""
