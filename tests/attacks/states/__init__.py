"""Random sequences of every verb, each answer compared with a simple model."""
