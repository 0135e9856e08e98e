"""Making data: exploration, policies and online agents in simulation."""
