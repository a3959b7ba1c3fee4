"""Where rows live: SQLite and PostgreSQL. Knows nothing of plaintext."""
