"""S3: buckets."""
