"""Groups of runs, intervals and curves."""
