"""Rules of load balancers that the kind and its checks share."""
