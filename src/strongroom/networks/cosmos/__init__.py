"""The Cosmos family: chains of the Cosmos SDK, which show a key in bech32 with a prefix of their own."""
