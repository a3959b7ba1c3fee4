"""Chains that began as copies of Bitcoin's code, or of its chain: Litecoin, Dogecoin, Bitcoin Cash, Dash, Zcash."""
