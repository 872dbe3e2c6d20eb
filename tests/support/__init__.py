"""What the tests stand on: the virtual clock, the runner of async tests, the runner of examples."""
