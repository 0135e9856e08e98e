"""MuJoCo and dm_control environments, and the node that stands in for the robot."""

import logging
import os

# Headless by default: without this, dm_control looks for a display on import.
os.environ.setdefault("MUJOCO_GL", "off")
# dm_control's initialiser warns of every attempt of its inverse kinematics, then tries again.
logging.getLogger("absl").setLevel(logging.ERROR)
