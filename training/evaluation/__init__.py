"""How well a model does what it is asked for."""
