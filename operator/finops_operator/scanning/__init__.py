"""The effectful half of a scan: list a shard, measure its pages, judge them, page by page through the store."""
