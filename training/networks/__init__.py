"""The networks `F`, `B` and the policy."""
