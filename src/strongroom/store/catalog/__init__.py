"""What a database's catalog says: where a vault is, what legacy tables look like, what could harm its wallets."""
