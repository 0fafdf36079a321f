"""MSK: Kafka clusters on brokers of one's own and serverless."""
