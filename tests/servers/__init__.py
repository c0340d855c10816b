"""Real servers for the tests, each started from a fixture and ended by its own process."""
