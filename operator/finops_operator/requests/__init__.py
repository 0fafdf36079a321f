"""Recommendations become ActionRequests."""
