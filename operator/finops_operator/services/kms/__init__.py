"""KMS: customer managed keys, and when they were used last."""
