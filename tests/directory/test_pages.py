"""Articles and help as people meet them, on both databases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from db import core
from db.directory import KnowledgeArticle
from portal import settings
from portal.contacts import commands, views
from portal.directory.views import today
from portal.shared.text import fold

if TYPE_CHECKING:
    from collections.abc import Callable

    from streamlit.testing.v1 import AppTest

    from tests.city import City

ROLES = ("representative", "supervisor", "manager", "administrator")


def _texts(page: AppTest) -> str:
    assert not page.exception
    kinds = ("title", "subheader", "markdown", "caption", "text", "success", "error")
    shown = [str(getattr(element, "value", "")) for kind in kinds for element in page.get(kind)]
    return "\n".join(shown + [button.label for button in page.button]).replace("\\", "").replace("\u2060", "")


@pytest.mark.parametrize("role", ROLES)
def test_everyone_reads_articles(open_page: Callable[..., AppTest], role: str) -> None:
    shown = _texts(open_page("articles", role, code="landlord_stop"))
    assert "F.S. 83.67" in shown
    assert "Answered with this" not in shown, "only on a call"


def test_words_typed_find_the_answer(open_page: Callable[..., AppTest]) -> None:
    page = open_page("articles")
    page.text_input(key="articles.search").set_value("couch").run()
    shown = _texts(page)
    assert "1 answer" in shown
    assert "Refrigerators and air conditioners need the coolant taken out" in shown
    page.text_input(key="articles.search").set_value("zzzz").run()
    assert "No article has these words" in _texts(page)


def test_an_answer_becomes_the_outcome_of_the_call(
    open_page: Callable[..., AppTest], city: City, actor: Callable[[str], Any]
) -> None:
    settings.use(settings.Settings())
    luis = actor("luis")
    call_id = commands.begin_conversation(luis, "phone").subject_id
    page = open_page("articles", code="bulky_items")
    page.button(key="articles.answered.bulky_items").click().run()
    assert [done.sentence for done in views.what_was_done(call_id)][-1] == "Answered from “Bulky items: what is taken”"


def test_an_articles_text_stays_text(open_page: Callable[..., AppTest]) -> None:
    body = "- one\n1. two\n<b>bold</b> ![x](https://example.org/x.png) **loud** :red[red] $a$"
    with core.work() as work:
        work.add(
            KnowledgeArticle(
                code="odd", title="*Odd* <i>", topic="Test", body=body, effective_from=today(), search_text=fold("odd")
            )
        )
        work.event("test.article", subject_kind="article", subject_id=0)
    page = open_page("articles", code="odd")
    raw = "\n".join(str(element.value) for element in page.markdown)
    assert "![x](" not in raw
    assert "**loud**" not in raw
    assert ":red[" not in raw
    assert "- one\n1. two" in raw


@pytest.mark.parametrize("role", ROLES)
def test_help_shows_keys_and_words(open_page: Callable[..., AppTest], role: str) -> None:
    page = open_page("help", role)
    shown = _texts(page)
    assert "Alt+E" in shown
    assert "A date, a credit or a visit told to a caller" in shown
    page.text_input(key="help.search").set_value("roll-off").run()
    assert "A large open container" in _texts(page)
    assert "A date, a credit or a visit told to a caller" not in _texts(page)
