"""kopf handlers, one file per kind: each takes an event in and returns at once.

Only `on.event`: it writes no annotation and no finalizer, so deleting an object or a namespace never waits for us.
Everything that takes time happens in the loops that these events wake.
"""
