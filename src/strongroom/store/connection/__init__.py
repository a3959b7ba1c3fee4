"""Connections: engines, sessions, transactions, a caller's own connection, and what drivers' errors mean."""
