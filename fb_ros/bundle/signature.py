"""Signatures of bundles: Ed25519 (RFC 8032) over `bundle.json`, which covers all other files.

A hash shows that a bundle is whole, and anybody can compute it; a signature shows who vouches for
it. Keys are the user's own, in PEM, as `openssl genpkey -algorithm ed25519` writes them, and
`openssl pkeyutl` checks the same signatures.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from fb_ros.bundle.files import DESCRIPTION
from fb_ros.errors import FbRosError

SIGNATURE = "bundle.sig"
"""The signature's file: 64 bytes beside the description."""
_MOST_KEY_BYTES = 10_000


def sign(folder: Path, key: Path) -> Path:
    """Signs the description with the private key in the file `key`; returns the signature's file.

    Raises:
        FbRosError: The key is not readable, or is no Ed25519 key without a password.
    """
    ed25519, serialization = _cryptography()
    content = _key_file(key)
    try:
        private = serialization.load_pem_private_key(content, password=None)
    except Exception as error:  # The library raises OpenSSL's errors in several classes.
        raise FbRosError(f"{key} is no private key in PEM without a password") from error
    if not isinstance(private, ed25519.Ed25519PrivateKey):
        raise FbRosError(
            f"{key} is no Ed25519 key; make one with `openssl genpkey -algorithm ed25519 -out KEY`"
        )
    file = folder / SIGNATURE
    try:
        file.write_bytes(private.sign((folder / DESCRIPTION).read_bytes()))
    except OSError as error:
        raise FbRosError(f"{file} cannot be written ({error.strerror})") from error
    return file


def require_signed(folder: Path, description: bytes, key: Path) -> None:
    """Refuses a bundle whose `description` the owner of the public key did not sign.

    Raises:
        FbRosError: The signature is missing or wrong, or the key is not readable.
    """
    ed25519, serialization = _cryptography()
    content = _key_file(key)
    try:
        public = serialization.load_pem_public_key(content)
    except Exception as error:
        raise FbRosError(
            f"{key} is no public key in PEM (`openssl pkey -pubout` writes one)"
        ) from error
    if not isinstance(public, ed25519.Ed25519PublicKey):
        raise FbRosError(f"{key} is no Ed25519 key")
    file = folder / SIGNATURE
    if not file.is_file():
        raise FbRosError(
            f"{folder} is not signed, and a signature by {key} is required; sign it with "
            "`fb_ros bundle sign`"
        )
    try:
        with file.open("rb") as opened:
            signature = opened.read(ED25519_BYTES + 1)
        public.verify(signature, description)
    except OSError as error:
        raise FbRosError(f"{file} is not readable ({error.strerror})") from error
    except Exception as error:
        raise FbRosError(
            f"{folder} is not signed by {key}: the signature fits another key or another bundle"
        ) from error


ED25519_BYTES = 64


def _key_file(key: Path) -> bytes:
    try:
        with key.open("rb") as file:
            return file.read(_MOST_KEY_BYTES)
    except OSError as error:
        raise FbRosError(f"the key {key} is not readable ({error.strerror})") from error


def _cryptography() -> tuple[Any, Any]:
    try:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError as error:
        raise FbRosError(
            "signatures need the Python package cryptography; install it with "
            "`pip install 'fb_ros[sign]'`"
        ) from error
    return ed25519, serialization
