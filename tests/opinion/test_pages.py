"""The public-opinion page by role and filter; hostile words of respondents stay words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from portal.opinion import commands
from tests.opinion import made

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from streamlit.testing.v1 import AppTest

    from tests.city import City

    OpenPage = Callable[..., AppTest]


def shown(page: AppTest) -> str:
    """The page's sentences, without the joiners that keep data from becoming Markdown."""
    kinds = (page.title, page.subheader, page.markdown, page.caption, page.text, page.code)
    return " ".join(str(each.value) for kind in kinds for each in kind).replace("\u2060", "").replace("\\", "")


@pytest.fixture
def survey(city: City, tmp_path: Path) -> None:
    commands.import_survey(*made.resident(tmp_path))


def test_without_a_survey_the_page_says_what_to_do(city: City, open_page: OpenPage) -> None:
    page = open_page("public_opinion", "manager")
    assert not page.exception
    assert "No survey has been imported yet" in shown(page)
    assert "portal import survey FILE.csv --spec SPEC.toml" in shown(page)


@pytest.mark.parametrize("role", ["representative", "supervisor", "administrator"])
def test_only_management_reads_opinions(survey: None, open_page: OpenPage, role: str) -> None:
    page = open_page("public_opinion", role)
    assert "This page is not part of your role" in shown(page)
    assert "Overall quality" not in shown(page)


def test_the_newest_wave_opens_with_its_sentences(survey: None, open_page: OpenPage) -> None:
    page = open_page("public_opinion", "manager")
    assert not page.exception
    told = shown(page)
    assert "51% are satisfied with “Overall quality” (95% interval 46% to 56%, n 400)." in told
    assert "Snow removal: the largest clear change, 40% to 60%" in told
    assert "Overall quality: Sep 2025 to Mar 2026 up 1 point: not distinguishable from chance" in told
    assert "districts do not differ by more than chance" in told
    assert "How this was measured" in told
    assert "Not recorded" in told
    assert [metric.value for metric in page.metric] == ["51%", "60%", "58%"]


def test_filters_come_from_the_address(survey: None, open_page: OpenPage) -> None:
    page = open_page("public_opinion", "manager", wave="Sep 2025", district="D1", item="Snow removal")
    assert not page.exception
    assert page.selectbox(key="wave").value == "w1"
    assert page.selectbox(key="district").value == "D1"
    assert page.selectbox(key="item").value == "snow"
    assert "n 100" in shown(page)
    page.selectbox(key="district").set_value("").run()
    assert "n 400" in shown(page)


def test_nonsense_in_the_address_falls_back_to_the_first_choice(survey: None, open_page: OpenPage) -> None:
    page = open_page(
        "public_opinion", "manager", survey="x", wave="' OR 1=1", district="<script>", item="none", topic="?"
    )
    assert not page.exception
    assert page.selectbox(key="wave").value == "w2"
    assert "n 400" in shown(page)


def test_another_survey_begins_with_its_own_choices(survey: None, open_page: OpenPage, tmp_path: Path) -> None:
    commands.import_survey(*made.happiness(tmp_path))
    page = open_page("public_opinion", "manager", district="D2", wave="Sep 2025")
    page.selectbox(key="survey").set_value("happiness").run()
    assert not page.exception
    assert (page.selectbox(key="wave").value, page.selectbox(key="district").value) == ("2015", "")
    told = shown(page)
    assert "2011 cannot be compared with 2013: the sample or the way of asking changed" in told
    assert "No line is drawn across ≠" in told
    assert "Not to be compared with 2011" in told
    page.selectbox(key="district").set_value("3").run()
    assert not page.exception
    assert "Too few people of Ward 3 answered to show figures" in shown(page)


def test_comments_are_words_whatever_they_hold(survey: None, open_page: OpenPage) -> None:
    page = open_page("public_opinion", "manager", wave="Sep 2025")
    assert "Note 0 <b>of</b> w1" in [text.value for text in page.text]
    assert "12 comments" in shown(page)


def test_an_unfinished_import_is_named(survey: None, open_page: OpenPage) -> None:
    from db import core
    from db import opinion as rows

    with core.work() as work:
        for wave in rows.waves(work.session):
            wave.loading = wave.wave_code == "w2"
    page = open_page("public_opinion", "manager")
    assert not page.exception
    assert "is not finished" in page.warning[0].value
    assert page.selectbox(key="wave").value == "w1"
    assert "No earlier wave to compare" in shown(page)
