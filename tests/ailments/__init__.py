"""A generator of databases with planted ailments, and the definition of what doctor has to find in them."""
