"""OpenSearch Service: domains of OpenSearch and of Elasticsearch."""
