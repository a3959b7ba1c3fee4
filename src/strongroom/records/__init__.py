"""Records that travel between the layers: frozen, and free of secrets unless a type says Secret."""
