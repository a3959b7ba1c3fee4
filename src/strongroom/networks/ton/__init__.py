"""TON: Ed25519 keys of SLIP-10; the address is the hash of the wallet contract that holds the public key."""
