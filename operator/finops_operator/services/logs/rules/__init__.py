"""What the kind and its checks share: which log groups may be judged, and what their data costs."""
