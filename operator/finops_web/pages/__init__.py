"""The pages, one a file; each exports ROUTER, and ENTRY when it stands in the navigation."""
