"""The HTTP API, one endpoint a file; each exports ROUTER. Paths and field names are fixed by those who use them."""
