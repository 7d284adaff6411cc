"""The page as each role sees it, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.test_pages_by_role import everything_shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    from tests.city import City


def test_an_empty_city_says_what_to_do(city: City, open_page: Callable[..., AppTest]) -> None:
    page = open_page("service_levels", "supervisor")
    assert not page.exception
    assert "There are no requests yet" in everything_shown(page)
