"""Doctor: what is wrong with a database, read without touching it. What each finding means is in docs/findings.md."""
