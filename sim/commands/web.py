"""`fb_ros web`: the page that shows a robot, simulated or real, and takes prompts."""

from __future__ import annotations

import dataclasses
import signal
import subprocess
from pathlib import Path

from fb_ros.bringup.options import default_options
from fb_ros.bringup.processes import command_line, web_process
from fb_ros.bringup.this_machine import stay_on_this_machine
from fb_ros.bundle.bundle import load_bundle
from fb_ros.command import Command, CommandConfig, Result
from fb_ros.paths import find_bundle
from sim.robots.registry import require_robot
from sim.web.readiness import require_page


@dataclasses.dataclass(frozen=True, kw_only=True)
class WebConfig(CommandConfig):
    """Serve a page on which people see a running robot and say what they want of it."""

    bundle: Path = Path("jaco")
    """Folder of the bundle that the robot runs, or the name of a model that ships."""
    namespace: str = ""
    """Namespace of the robot's topics; by default the robot's name."""
    port: int = 8080
    """Port to listen on."""
    host: str = "127.0.0.1"
    """Address to listen on. If others can reach it, such as 0.0.0.0, the page asks for a token:
    FB_ROS_WEB_TOKEN, or the one in the log."""
    params_file: Path | None = None
    """ROS parameter file, of which the page takes the entries for `web_node`."""


def web(config: WebConfig) -> Result:
    """Runs the node until it ends; the key `ok` says whether it ended well."""
    path = find_bundle(config.bundle).resolve()
    robot = load_bundle(path).robot.name
    require_robot(robot)
    require_page(config.host, config.port)
    options = default_options(robot) | {
        "bundle": str(path),
        "web_host": config.host,
        "web_port": str(config.port),
        **({"namespace": config.namespace} if config.namespace else {}),
        **({"params_file": str(config.params_file)} if config.params_file else {}),
    }
    # Like the demo's robot, the page stays on this machine unless the user chose otherwise.
    stay_on_this_machine()
    with subprocess.Popen(command_line(web_process(robot, options), options)) as running:
        try:
            return {"ok": running.wait() == 0}
        finally:
            # The process handles Ctrl-C as a node does.
            running.send_signal(signal.SIGINT)


COMMAND = Command(config=WebConfig, run=web, show=lambda result: "")
