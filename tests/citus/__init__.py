"""What runs on a Citus cluster: `make test-citus`, with STRONGROOM_CITUS_URL."""
