"""The XRP Ledger: addresses in base58 with an alphabet of its own, keys from phrases and from family seeds."""
