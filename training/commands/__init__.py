"""The commands of `fb_ros` that make data and models, and measure them."""

from fb_ros.command import Entry

COMMANDS = {
    "collect": Entry("collect", "sim", "exploratory data of a simulated robot"),
    "data inspect": Entry("inspect_data", "train", "what data hold and what is wrong"),
    "data convert": Entry("convert_data", "train", "HDF5 files and bags into episodes"),
    "train": Entry("train", "train", "a model from collected data"),
    "evaluate": Entry("evaluate", "sim", "how well a model does what it is asked for"),
    "topline": Entry("topline", "train", "an agent trained for one task, to compare"),
    "compare": Entry("compare", "train", "runs against each other on benchmark tasks"),
    "export": Entry("export", "train", "a trained model as a bundle"),
    "benchmark": Entry("benchmark", "ros,train", "how long things take here"),
}
