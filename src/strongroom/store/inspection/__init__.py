"""Every wallet of a database as it is stored, healthy or not, for readers that change nothing."""
