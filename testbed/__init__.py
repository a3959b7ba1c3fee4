"""What tests and benchmarks share: databases, servers, processes, payloads, defects. It imports nothing from tests."""
