from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.accounts import rules
from portal.accounts.rules import AuthorisedForm, FlagForm, MergeSide, PersonForm
from portal.shared.actor import Actor

GOOD = PersonForm("person", "Marcus Ellison", "(850) 555-0142", "", "m.ellison@example.org")


def fields(problems: list[rules.Problem]) -> list[str]:
    return [problem.field for problem in problems]


def test_a_good_person_has_no_problem() -> None:
    assert rules.person_problems(GOOD) == []


@pytest.mark.parametrize(
    ("name", "kind", "sentence"),
    [
        ("", "person", "Name is empty"),
        ("   ", "company", "Name is empty"),
        ("12345", "company", "no letter"),
        ("Marcus", "person", "given and a family name"),
        ("<script>alert(1)</script>", "company", "sign that names do not have"),
        ("x" * 10_000, "company", "10,000 characters"),
        ("Marcus 4111 1111 1111 1111", "person", "payment card number"),
        ("Marcus 078-05-1120", "person", "Social Security number"),
    ],
)
def test_a_bad_name_is_refused_in_a_sentence(name: str, kind: str, sentence: str) -> None:
    found = rules.name_problems(name, kind)
    assert len(found) == 1
    assert sentence in found[0].message
    assert found[0].message.endswith((".", ".”"))


@pytest.mark.parametrize(
    "name", ["O'Brien, Mary", "José Núñez-Smith", "Anna-Lena van der Berg", "李 小龙", "J. R. Smith"]
)
def test_names_of_the_world_are_taken(name: str) -> None:
    assert rules.name_problems(name, "person") == []


def test_a_company_needs_no_second_word() -> None:
    assert rules.name_problems("Bluewater", "company") == []


@pytest.mark.parametrize("phone", ["850 555 014", "850-555-01422", "(050) 555-0142", "phone", "850-555-0142 ext 3"])
def test_a_bad_phone_is_named(phone: str) -> None:
    found = rules.phone_problems("phone", "Phone", phone)
    assert fields(found) == ["phone"]
    assert found[0].message.startswith("Phone: ")


def test_a_second_phone_without_a_first_is_asked_about() -> None:
    assert fields(rules.person_problems(PersonForm("person", "Marcus Ellison", "", "8505550142"))) == ["phone"]


@pytest.mark.parametrize(
    "email", ["nobody", "a@b", "a b@example.org", "a@@example.org", "a@example..org", "x" * 400 + "@example.org"]
)
def test_a_bad_email_is_refused(email: str) -> None:
    assert fields(rules.email_problems(email)) == ["email"]


@pytest.mark.parametrize("email", ["", "m.ellison@example.org", "first+tag@sub.example.co", "o'brien@example.org"])
def test_a_good_email_is_taken(email: str) -> None:
    assert rules.email_problems(email) == []


def test_given_and_family_name_are_the_first_and_last_word() -> None:
    assert rules.given_and_family(" Marcus  J. Ellison ", "person") == ("Marcus", "Ellison")
    assert rules.given_and_family("Bluewater Cafe LLC", "company") == ("", "")


@given(st.text(max_size=300), st.sampled_from(["person", "company"]))
def test_any_name_gives_sentences_and_never_fails(name: str, kind: str) -> None:
    for problem in rules.name_problems(name, kind):
        assert problem.message[-1] in ".!?"
        assert problem.field == "name"


# --- merging


def side(
    person_id: int,
    *,
    kind: str = "person",
    name: str = "Marcus Ellison",
    exempt: bool = False,
    merged: int | None = None,
) -> MergeSide:
    return MergeSide(person_id, f"P-{person_id:06d}", kind, name, exempt, merged)


def test_two_records_of_one_kind_can_merge() -> None:
    assert rules.merge_problems(side(1), side(2)) == []


@pytest.mark.parametrize(
    ("old", "kept", "sentence"),
    [
        (side(1), side(1), "the same record"),
        (side(1, merged=3), side(2), "was merged before"),
        (side(1), side(2, merged=3), "was merged before"),
        (side(1), side(2, kind="company"), "one a person"),
        (None, side(2), "no such record"),
        (side(1), None, "no such record"),
    ],
)
def test_what_cannot_merge_says_why(old: MergeSide | None, kept: MergeSide | None, sentence: str) -> None:
    found = rules.merge_problems(old, kept)
    assert len(found) == 1
    assert sentence in found[0].message.replace("One is a person", "one a person")


def test_different_names_and_one_exemption_are_warned_about() -> None:
    warnings = rules.merge_warnings(side(1, name="Tom Elison"), side(2, exempt=True))
    assert len(warnings) == 2
    assert rules.merge_warnings(side(1), side(2, name="marcus  ellison")) == []


# --- who may act, flags, who is shown


def test_who_may_act_needs_relation_powers_and_a_name() -> None:
    empty = AuthorisedForm(1)
    assert fields(rules.authorised_problems(empty, is_customer=False, already=False)) == ["name", "relation", "powers"]
    good = AuthorisedForm(1, None, "Rosa Ellison", "", "spouse", ("ask", "pay"))
    assert rules.authorised_problems(good, is_customer=False, already=False) == []
    assert fields(rules.authorised_problems(good, is_customer=True, already=True)) == ["name", "name"]


def test_powers_are_said_in_one_order() -> None:
    assert rules.powers_text(["stop", "ask"]) == "ask, stop"
    assert rules.powers_text([]) == "nothing"


def test_a_flag_belongs_on_its_subject_and_ends_in_the_future() -> None:
    today = dt.date(2026, 11, 24)
    assert rules.flag_problems(FlagForm("premise", 1, "dog", "side gate"), ("premise",), today) == []
    assert fields(rules.flag_problems(FlagForm("person", 1, "dog"), ("premise",), today)) == ["code"]
    assert fields(rules.flag_problems(FlagForm("person", 1, "nothing"), None, today)) == ["code"]
    assert fields(
        rules.flag_problems(FlagForm("premise", 1, "dog", "x" * 201, today - dt.timedelta(days=1)), ("premise",), today)
    ) == ["words", "until_on"]


def test_an_exempt_name_is_hidden_where_it_leaves_the_desk() -> None:
    nobody, may = Actor(1, "A"), Actor(2, "B", permissions=frozenset({"exempt.read"}))
    assert rules.visible_name("Helen Marsh", exempt=True, actor=nobody) == rules.HIDDEN_NAME
    assert rules.visible_place("55 Bell St", exempt=True, actor=nobody) == ""
    assert rules.visible_name("Helen Marsh", exempt=True, actor=may) == "Helen Marsh"
    assert rules.visible_name("Marcus Ellison", exempt=False, actor=nobody) == "Marcus Ellison"
