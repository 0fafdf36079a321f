"""Kinesis Data Streams: streams of records on shards or on demand."""
