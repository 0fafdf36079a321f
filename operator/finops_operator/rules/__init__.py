"""The pure rules of policies, requests and decisions."""
