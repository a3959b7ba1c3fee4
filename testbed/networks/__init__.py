"""Keys, payloads and known answers of the networks."""
