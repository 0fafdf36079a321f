"""The ledger: two sinks that must both be durable before an append counts. Uses `finops.store` for the first one."""
