"""The Slack bot: shows requests as cards, turns clicks into Approvals, and reaches neither AWS nor any workload.

It holds the Slack tokens and nothing else of value. What it writes to the cluster are Approvals, which the operator
judges again by itself; what it shows is a projection of what the operator wrote.
"""
