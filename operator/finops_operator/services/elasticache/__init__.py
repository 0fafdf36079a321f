"""ElastiCache: caches of Valkey, Redis OSS and Memcached, on nodes of one's own and serverless."""
