"""The only importer of boto3 and botocore: sessions, roles, retries, counting. The rest gets readers, step clients."""
