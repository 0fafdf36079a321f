"""What the kind and its checks share: engines and licences, storage, states, owners."""
