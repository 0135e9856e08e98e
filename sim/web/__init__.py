"""A page in the browser on which a person watches a robot and prompts it."""
