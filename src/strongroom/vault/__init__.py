"""The faces of an open vault: synchronous, asynchronous, and the reading one that needs no root key."""
