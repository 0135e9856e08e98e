"""The commands of `fb_ros` that need a simulator."""

from fb_ros.command import Entry

COMMANDS = {
    "demo": Entry("demo", "ros,sim", "a simulated robot reaching for goals"),
}
