"""Where processes and hosts agree on who redeems a refresh token: see :mod:`.protocol`."""

from .file import FileStore
from .layers import LayeredStore
from .memory import MemoryStore
from .protocol import Entry, RenewalStore, StoreUnavailable

__all__ = ["Entry", "FileStore", "LayeredStore", "MemoryStore", "RenewalStore", "StoreUnavailable"]
