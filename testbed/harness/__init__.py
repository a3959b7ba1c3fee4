"""What the tests are made with: stopped and killed processes, and the search for leaks."""
