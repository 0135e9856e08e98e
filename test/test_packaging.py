"""The wheel and the sdist, installed as a user would and used."""

from __future__ import annotations

import json
import os
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def run(*words: str | Path, cwd: Path) -> str:
    """Runs a command away from the checkout; what it prints."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, root, cwd=out)
    return out


@pytest.fixture(scope="module")
def installed(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The executables of an environment with the wheel, beside what this one has installed."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, symlinks=True)
    packages = next(folder.glob("lib/python*/site-packages"))
    # After its own packages come those of this environment: fb_ros is the wheel's.
    (packages / "beside.pth").write_text("\n".join(site.getsitepackages()) + "\n")
    (wheel,) = built.glob("*.whl")
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin/python", "install", "--no-deps")
    run(*pip, "--quiet", "--no-index", "--ignore-installed", wheel, cwd=built)
    return folder / "bin"


def test_the_wheel_brings_the_command_and_the_models(installed: Path) -> None:
    folder = installed.parent
    place = run(installed / "python", "-c", "import fb_ros; print(fb_ros.__file__)", cwd=folder)
    assert place.startswith(str(folder))
    assert "demo" in run(installed / "fb_ros", "--help", cwd=folder)
    assert run(installed / "fb_ros", "--version", cwd=folder).strip()
    words = ("evaluate", "--bundle", "point_mass", "--goals", "2", "--no-reference", "--json")
    found = json.loads(run(installed / "fb_ros", *words, cwd=folder))
    assert found["success"] == 1.0


def test_ros2_run_finds_the_commands_of_the_wheel(installed: Path) -> None:
    """It runs what is executable in lib/fb_ros of a prefix."""
    folder = installed.parent
    commands = sorted(folder.glob("lib/fb_ros/*"))
    names = ["fb_ros", "policy_node", "sim_node", "task_inference_node", "twin_node", "web_node"]
    assert [path.name for path in commands] == names
    assert all(os.access(path, os.X_OK) for path in commands)
    assert run(folder / "lib/fb_ros/fb_ros", "--version", cwd=folder).strip()


def test_the_sdist_holds_all_that_the_wheel_is_built_from(built: Path) -> None:
    """The wheel above was built from it; that it has the licence is for the reader."""
    (sdist,) = built.glob("*.tar.gz")
    names = run("tar", "tzf", sdist, cwd=built).splitlines()
    for name in ("LICENSE", "package.xml", "setup.py", "launch/jaco_reach.launch.py"):
        assert any(entry.endswith("/" + name) for entry in names), name
