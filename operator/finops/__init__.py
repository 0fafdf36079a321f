"""The shared core of operator, bot and command line.

Holds the words everything else is written in: domain values, ports, the four Kubernetes kinds, the store and the
Kubernetes client. Never here: AWS, Slack, kopf, or anything that acts.
"""

__version__ = "0.1.0"
