"""The migration of a schema of the legacy application: what is changed, in which order, and what a person does."""
