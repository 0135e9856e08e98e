"""A simulated robot for users' tests: a pytest plugin that comes with the package."""
