"""Pictures that came with a request: checked by their bytes, kept under random names, never under the sender's."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Any

from portal.service_requests.rules.answer import Photo
from portal.service_requests.views.photos import folder

if TYPE_CHECKING:
    from collections.abc import Mapping


def keep(answers: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The answers with each picture written to the uploads folder and replaced by its file name.

    A picture of a transaction that fails afterwards stays behind unused; it is never shown.
    """
    kept = {}
    for code, answer in answers.items():
        value = answer["value"]
        kept[code] = answer
        if isinstance(value, Photo):
            folder().mkdir(parents=True, exist_ok=True)
            name = f"{secrets.token_hex(16)}.{value.extension}"
            (folder() / name).write_bytes(value.content)
            kept[code] = {**answer, "value": name, "photo": True}
    return kept
