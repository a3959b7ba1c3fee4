"""A generator of databases with planted defects, and the definition of what doctor has to find in them."""
