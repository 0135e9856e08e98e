"""A simulated robot for other people's tests: a pytest plugin that comes with the package."""
