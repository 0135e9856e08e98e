"""Names of the events that a controller counts."""

COUNTS = (
    "refused_observations",
    "late_observations",
    "reordered_observations",
    "stale_observations",
    "refused_z",
    "stale_z",
    "late_inferences",
    "failed_inferences",
    "deadline_misses",
    "clock_jumps",
    "stops",
)
"""Names of the events, as the diagnostics show them."""
