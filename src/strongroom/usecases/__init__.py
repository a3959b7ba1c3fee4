"""One file a verb, or a few that belong together. They know ports, never adapters."""
