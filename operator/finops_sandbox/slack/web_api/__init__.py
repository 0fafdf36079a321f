"""The Web API: one module per family of methods, and the dispatcher every call goes through."""
