"""Bytes on disk, found by key."""

import hashlib
import tempfile
from pathlib import Path
from typing import BinaryIO

from django.conf import settings

BLOCK = 64 * 1024


class SizeMismatch(Exception):
    """The stream held more or fewer bytes than were declared."""


def path_of(key: str) -> Path:
    """Where a key's bytes are.

    The file is named by the key's digest: a key may be longer than a file name may be, and none can lead out
    of the folder.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()
    return Path(settings.STORAGE_DIR) / digest[:2] / digest


def write(key: str, stream: BinaryIO, size: int) -> None:
    """Store a stream of exactly ``size`` bytes; a partial one leaves no trace."""
    target = path_of(key)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as partial:
        try:
            _copy(stream, partial, size)
            Path(partial.name).replace(target)
        finally:
            Path(partial.name).unlink(missing_ok=True)


def exists(key: str) -> bool:
    """Whether bytes have been stored under the key."""
    return bool(key) and path_of(key).is_file()


def open_object(key: str) -> BinaryIO:
    """The stored bytes as a file."""
    return path_of(key).open("rb")


def read(key: str) -> bytes:
    """The stored bytes."""
    return path_of(key).read_bytes()


def delete(key: str) -> None:
    """Forget the bytes; a key without bytes is fine."""
    path_of(key).unlink(missing_ok=True)


def _copy(stream: BinaryIO, target: BinaryIO, size: int) -> None:
    """Copy in blocks, and stop as soon as there are too many bytes."""
    copied = 0
    while block := stream.read(BLOCK):
        copied += len(block)
        if copied > size:
            break
        target.write(block)
    target.flush()
    if copied != size:
        raise SizeMismatch(f"Expected {size} bytes.")
