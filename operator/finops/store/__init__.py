"""Redis or Valkey adapters, one file per kind of data; the only importer of the redis client.

Key names live in `keys.py` alone. Anything that is not idempotent goes through Lua keyed by an operation id, because
redis-py resends a command whose answer was lost.
"""
