"""The operator: finds waste, prices it, asks, acts, verifies. Holds AWS and Kubernetes edges; no Slack."""
