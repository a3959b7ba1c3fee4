"""What child processes run, with and without a fork server."""
