"""The pictures that came with requests, read back for the case's page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from portal import settings

if TYPE_CHECKING:
    from pathlib import Path

_KEPT = re.compile(r"[0-9a-f]{32}\.(jpg|png|webp)")


def folder() -> Path:
    """Where pictures are kept."""
    return settings.current().data_dir / "uploads"


def photo(name: str) -> bytes | None:
    """The bytes of a kept picture; None when the name is none of ours or the file is gone."""
    if not _KEPT.fullmatch(name):
        return None
    path = folder() / name
    return path.read_bytes() if path.is_file() else None
