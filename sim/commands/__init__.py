"""The commands of `fb_ros` that need a simulator."""

from fb_ros.command import Entry

COMMANDS = {
    "demo": Entry("demo", "ros,sim", "a simulated robot reaching for goals"),
    "record": Entry("record", "ros,bags", "all that is said to a robot and done by it, as a bag"),
    "replay": Entry("replay", "ros,sim,bags", "a recording's prompts, said again to a simulation"),
    "web": Entry("web", "ros,sim,web", "a page that shows a robot and takes prompts"),
}
