"""How long training, data and prompts take."""
