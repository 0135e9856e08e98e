"""Packaging for both worlds: an ament_python package for colcon, and plain pip."""

import re
from pathlib import Path

from setuptools import Command, find_packages, setup

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # Before setuptools 70.1, as colcon may find it; colcon builds no wheels.
    bdist_wheel = Command


def data_files() -> list[tuple[str, list[str]]]:
    """What ament and the nodes look for under <prefix>/share."""
    share = "share/fb_ros"
    files = [
        ("share/ament_index/resource_index/packages", ["resource/fb_ros"]),
        (share, ["package.xml", "LICENSE"]),
        (f"{share}/launch", _glob("launch/*.launch.py")),
        (
            f"{share}/config",
            [
                *_glob("config/*.yaml"),
                *_glob("config/*.txt"),
                *_glob("config/robot.rviz"),
                *_glob("config/*.json"),
                *_glob("config/*.xml"),
            ],
        ),
    ]
    for bundle in sorted(path for path in Path("models").glob("*") if path.is_dir()):
        files.append((f"{share}/{bundle}", _glob(f"{bundle}/*")))
    return files


def version() -> str:
    """The version in package.xml, its one place."""
    found = re.search(r"<version>(.+?)</version>", Path("package.xml").read_text("utf-8"))
    assert found, "package.xml names no version"
    return found[1]


def _glob(pattern: str) -> list[str]:
    return sorted(str(path) for path in Path().glob(pattern) if path.is_file())


class Wheel(bdist_wheel):
    """A wheel in which `ros2 run` finds the commands, too.

    It looks in lib/fb_ros, where colcon puts them as setup.cfg says; pip always puts them into
    bin.
    """

    def run(self) -> None:
        folder = Path(self.bdist_dir).parent / "ros2_run"
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for command in COMMANDS:
            file = folder / command.split(" = ")[0]
            file.write_text('#!/bin/sh\nexec "$(dirname "$0")/../../bin/$(basename "$0")" "$@"\n')
            file.chmod(0o755)
            files.append(str(file))
        self.distribution.data_files.append(("lib/fb_ros", files))
        super().run()


COMMANDS = [
    "fb_ros = fb_ros.cli:main",
    "policy_node = fb_ros.bringup.start:policy_node",
    "task_inference_node = fb_ros.bringup.start:task_inference_node",
    "sim_node = fb_ros.bringup.start:sim_node",
    "twin_node = fb_ros.bringup.start:twin_node",
    "web_node = fb_ros.bringup.start:web_node",
]
SIM = [
    "mujoco==3.17.0",  # physics; 4 breaks dm_control 1.0.50
    "dm_control==1.0.50",  # the arm, the hand and the point mass
    "tqdm>=4.66,<5",  # progress of long commands
    "pillow>=10,<14",  # pictures of episodes
]
WEB = [
    "viser==1.1.1",  # the page: 3-D, widgets and plots, without anything fetched from elsewhere
    "mjviser==0.0.14",  # from MuJoCo's geometries to meshes, textures included
]
BAGS = [
    "rosbags>=0.10.9,<0.12",  # reads and writes ROS 2's messages without a ROS installation
    "mcap>=1.3,<2",  # reads MCAP in the order of recording, whatever its schemas are
    "backports.zstd>=1,<2; python_version < '3.14'",  # compressed bags; rosbags needs it, too
]
TRAIN = [
    *SIM,
    *BAGS,
    "torch==2.13.0",  # networks and training
    "tensorboard>=2.16,<3",  # learning curves in the browser, without an account
    "onnx>=1.19,<2",  # the exported graphs
    "onnxscript>=0.5,<1",  # torch's ONNX exporter needs it
    "h5py>=3.11,<4",  # D4RL's and Minari's data
    "pyyaml>=6,<7",  # the mapping from a bag's topics to a robot's fields
    "rliable>=1.2,<2",  # interquartile means with bootstrap intervals
    "matplotlib>=3.8,<4",  # learning curves for documents
    "scipy>=1.11,<2",  # rank correlation of forecasts; dm_control brings it
    "pandas>=2,<3",  # only for rliable, whose bootstrap library breaks on 3
]
TENSORRT = [
    # Builds engines anywhere and runs them on a GPU; for a Jetson TensorRT comes with JetPack.
    "tensorrt-rtx>=1.4,<2; platform_machine == 'x86_64'",
    "cuda-bindings>=12.6,<14",  # device memory and streams for both flavours of TensorRT
]
SIGN = [
    "cryptography>=43,<52",  # signs bundles and checks their signatures (Ed25519)
]
ROS = [
    # ROS 2 Jazzy for machines without a ROS installation; unpinned ones would be Kilted's.
    "ros-rclpy[fastrtps]==7.1.6",
    "ros-std-msgs<5.4",
    "ros-std-srvs<5.4",
    "ros-sensor-msgs<5.4",
    "ros-geometry-msgs<5.4",
    "ros-diagnostic-msgs<5.4",
    "ros-nav-msgs<5.4",
    "ros-visualization-msgs<5.4",  # the goal in RViz and Foxglove
]
TEST = [
    *SIGN,
    "pytest>=8,<10",  # test runner
    "pytest-xdist>=3.6,<4",  # tests that need no robot's time run side by side
    "hypothesis>=6.100,<7",  # properties over generated inputs
    "ruff==0.17.6",  # lint and format
    "mypy==2.4.1",  # types
    "codespell>=2.4,<3",  # spelling
    "pre-commit>=4,<5",  # runs the checks before each commit
    "build>=1.2,<2",  # the wheel and the sdist that the packaging test installs
    "wheel>=0.43,<1",  # without build isolation, the backend has to be here
    "playwright>=1.50,<2",  # drives the browser of the machine through the page
    "colcon-common-extensions==0.3.0",  # builds the package as a ROS workspace does
]

setup(
    name="fb_ros",
    version=version(),
    description="Publish a reward, get a behaviour: forward-backward models as ROS 2 nodes",
    maintainer="fb_ros maintainers",
    maintainer_email="maintainers@fb-ros.org",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(
        include=["fb_ros", "fb_ros.*", "sim", "sim.*", "training", "training.*"]
    ),
    package_data={"fb_ros": ["py.typed"], "sim": ["robots/*.json"]},
    data_files=data_files(),
    install_requires=[
        "setuptools",
        "numpy>=1.26,<3",  # all arithmetic outside the graphs
        "onnxruntime>=1.20,<2",  # runs the graphs on a CPU
        "safetensors>=0.4,<1",  # reference states, without pickle
        "tyro>=1,<2",  # command lines out of typed configurations
    ],
    extras_require={
        "sim": SIM,
        "bags": BAGS,
        "train": TRAIN,
        "web": WEB,
        "tensorrt": TENSORRT,
        "ros": ROS,
        "sign": SIGN,
        "test": TEST,
    },
    zip_safe=False,
    cmdclass={} if bdist_wheel is Command else {"bdist_wheel": Wheel},
    entry_points={
        # Named as the module is, so that naming the module as a plugin, too, is the same one.
        "pytest11": ["sim.testing.plugin = sim.testing.plugin"],
        "console_scripts": COMMANDS,
    },
)
