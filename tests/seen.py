"""What a page test sees of the parts that `portal.desk.still` draws: their words, without the tags."""

from __future__ import annotations

import html
import re
from typing import Any


def still_words(page: Any) -> str:
    """Everything that stands on a page as HTML, in one text; words of different elements are apart by one blank."""
    bodies = " ".join(str(each.value) for each in page.html)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", bodies)).split())
