"""What can be done to a resource, one file per action; each exports `ACTION`. Loaded by the registry."""
