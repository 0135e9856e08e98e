"""Signatures: who answers for a bundle, by a key of the user's own."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from fb_ros.bundle.bundle import load_bundle
from fb_ros.bundle.description import write_description
from fb_ros.bundle.files import DESCRIPTION
from fb_ros.bundle.signature import SIGNATURE
from fb_ros.cli import main
from fb_ros.errors import FbRosError

serialization = pytest.importorskip("cryptography.hazmat.primitives.serialization")
ed25519 = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ed25519")
ec = pytest.importorskip("cryptography.hazmat.primitives.asymmetric.ec")


def write_keys(folder: Path, private: object) -> tuple[Path, Path]:
    pem, none = serialization.Encoding.PEM, serialization.NoEncryption()
    keys = folder / "key.pem", folder / "public.pem"
    folder.mkdir(exist_ok=True)
    keys[0].write_bytes(
        private.private_bytes(pem, serialization.PrivateFormat.PKCS8, none)  # type: ignore[attr-defined]
    )
    public = private.public_key()  # type: ignore[attr-defined]
    keys[1].write_bytes(public.public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo))
    return keys


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private key and its public one."""
    return write_keys(tmp_path / "keys", ed25519.Ed25519PrivateKey.generate())


@pytest.fixture
def copied(tmp_path: Path, root: Path) -> Path:
    return Path(shutil.copytree(root / "models" / "point_mass", tmp_path / "bundle"))


def sign(bundle: Path, key: Path) -> int:
    return main(["bundle", "sign", "--bundle", str(bundle), "--key", str(key)])


def verify(bundle: Path, key: Path) -> int:
    return main(["bundle", "verify", "--bundle", str(bundle), "--key", str(key)])


def test_what_was_signed_verifies(copied: Path, keys: tuple[Path, Path]) -> None:
    assert sign(copied, keys[0]) == 0
    assert verify(copied, keys[1]) == 0
    assert load_bundle(copied, signed_by=keys[1]).path == copied


def test_a_signature_that_nobody_asks_for_changes_nothing(
    copied: Path, keys: tuple[Path, Path]
) -> None:
    before = load_bundle(copied).model_id
    sign(copied, keys[0])
    assert load_bundle(copied).model_id == before


def test_openssl_checks_the_same_signature(copied: Path, keys: tuple[Path, Path]) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    sign(copied, keys[0])
    checked = subprocess.run(
        f"openssl pkeyutl -verify -pubin -inkey {keys[1]} -rawin -in {copied / DESCRIPTION} "
        f"-sigfile {copied / SIGNATURE}".split(),
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 0, checked.stderr


def test_a_bundle_without_a_signature_is_refused_where_one_is_required(
    copied: Path, keys: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(copied, keys[1]) == 1
    assert "is not signed" in capsys.readouterr().err


def test_anothers_signature_is_refused(
    copied: Path, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    other = write_keys(tmp_path / "other", ed25519.Ed25519PrivateKey.generate())
    sign(copied, other[0])
    with pytest.raises(FbRosError, match="fits another key or another bundle"):
        load_bundle(copied, signed_by=keys[1])


def test_a_bundle_that_was_described_anew_loses_its_signature(
    copied: Path, keys: tuple[Path, Path]
) -> None:
    sign(copied, keys[0])
    description = json.loads((copied / DESCRIPTION).read_text())
    description["robot"]["action_high"] = [10.0 * v for v in description["robot"]["action_high"]]
    write_description(copied, description)
    load_bundle(copied)
    with pytest.raises(FbRosError, match="fits another key or another bundle"):
        load_bundle(copied, signed_by=keys[1])


@pytest.mark.parametrize("content", [b"", b"\0" * 64, b"\0" * 100_000])
def test_a_damaged_signature_is_refused(
    copied: Path, keys: tuple[Path, Path], content: bytes
) -> None:
    (copied / SIGNATURE).write_bytes(content)
    with pytest.raises(FbRosError, match="fits another key"):
        load_bundle(copied, signed_by=keys[1])


def test_what_is_no_such_key_is_refused(
    copied: Path, keys: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    curve = write_keys(tmp_path / "curve", ec.generate_private_key(ec.SECP256R1()))
    wrong = [(keys[1], keys[0]), (tmp_path / "none", tmp_path / "none"), curve]
    for private, public in wrong:
        assert sign(copied, private) == 1
        assert verify(copied, public) == 1
    for line in capsys.readouterr().err.splitlines():
        assert line.startswith("fb_ros bundle ")
    assert not (copied / SIGNATURE).exists()
