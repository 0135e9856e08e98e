"""The commands of `fb_ros` that need a simulator."""

from fb_ros.command import Entry

COMMANDS = {
    "demo": Entry("demo", "ros,sim", "a simulated robot reaching for goals"),
    "web": Entry("web", "ros,sim,web", "a page that shows a robot and takes prompts"),
}
