"""MuJoCo and dm_control environments, and the node that stands in for the robot."""

import logging

from sim.renderer import choose_renderer

# Headless by default: without this, dm_control looks for a display on import.
choose_renderer()
# dm_control's initialiser warns after each failed attempt of its inverse kinematics, and retries.
logging.getLogger("absl").setLevel(logging.ERROR)
