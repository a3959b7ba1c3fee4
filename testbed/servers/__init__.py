"""Real servers, and what stands between us and them."""
