from __future__ import annotations

import dataclasses
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from db import accounts as rows
from db import core, staff
from db.contacts import CallBack, IdentityCheck
from db.events import Event
from portal.accounts import commands, views
from portal.accounts.rules import AuthorisedForm, FlagForm, PersonForm
from portal.contacts import commands as contacts
from portal.contacts import views as contact_views
from portal.shared.actor import Actor
from portal.shared.refusal import Refused
from tests.city import City

Actors = Callable[[str], Actor]


def refused(call: Callable[[], object]) -> Refused:
    with pytest.raises(Refused) as caught:
        call()
    for problem in caught.value.problems:
        assert problem.message[-1] in ".”", problem.message
    return caught.value


def names_of_events() -> list[str]:
    with core.read() as session:
        return list(session.scalars(sa.select(Event.name).order_by(Event.id)))


def person(person_id: int) -> rows.Person:
    with core.read() as session:
        found = session.get(rows.Person, person_id)
        assert found is not None
        return found


# --- persons


def test_a_person_is_added_once_and_found_at_once(city: City, actor: Actors) -> None:
    form = PersonForm("person", "Nadia  Karim", "850-555-0190", "", "nadia@example.org")
    first = commands.add_person(actor("luis"), form, key="k" * 12)
    again = commands.add_person(actor("luis"), form, key="k" * 12)
    assert again.replayed
    assert again.subject_id == first.subject_id
    assert first.number.startswith("P-26-")
    assert [match.title for match in views.find("nadia karim", actor("luis")).matches] == ["Nadia Karim"]
    row = person(first.subject_id)
    assert (row.given_name, row.family_name, row.phone) == ("Nadia", "Karim", "8505550190")
    assert names_of_events().count("person.added") == 1


def test_a_person_added_during_a_call_is_whom_the_call_is_about(city: City, actor: Actors) -> None:
    call_id = contacts.begin_conversation(actor("dana"), "phone").subject_id
    form = PersonForm("person", "Ida Vo", "850 555 0188", conversation_id=call_id)
    added = commands.add_person(actor("dana"), form)
    here = contact_views.open_call(actor("dana"))
    assert here is not None
    assert (here.person_id, here.name) == (added.subject_id, "Ida Vo")
    # Somebody else's conversation is nobody's to link.
    assert "not your conversation" in str(refused(lambda: commands.add_person(actor("luis"), form)).problems)


def test_bad_answers_are_refused_and_nothing_is_kept(city: City, actor: Actors) -> None:
    before = names_of_events()
    problems = refused(lambda: commands.add_person(actor("luis"), PersonForm("person", "", "12", "", "x"))).problems
    assert [problem.field for problem in problems] == ["name", "phone", "email"]
    assert names_of_events() == before


def test_a_phone_is_changed_and_a_stale_form_is_told_who_was_faster(
    city: City, actor: Actors, on_call: Callable[..., int]
) -> None:
    form = views.person_form(city.person["marcus"], actor("luis"))
    assert form is not None
    changed = PersonForm(
        "person", form.name, "850 555 0199", "", form.email, person_id=form.person_id, version=form.version
    )
    unchecked = refused(lambda: commands.update_person(actor("luis"), changed))
    assert (unchecked.title, unchecked.problems[0].field) == ("Check who is speaking first", "identity")
    assert person(city.person["marcus"]).phone == "8505550142"
    changed = dataclasses.replace(changed, conversation_id=on_call(actor("luis"), "marcus"))
    commands.update_person(actor("luis"), changed)
    assert person(city.person["marcus"]).phone == "8505550199"
    stale = refused(lambda: commands.update_person(actor("sam"), changed))
    assert stale.title == "Somebody was faster"
    assert "Luis Ortega changed this record (today 10:4" in stale.problems[0].message.replace("Tue, Nov 24, ", "today ")


def test_saving_without_a_change_writes_nothing(city: City, actor: Actors) -> None:
    form = views.person_form(city.person["marcus"], actor("luis"))
    assert form is not None
    before = names_of_events()
    assert commands.update_person(actor("luis"), form).title == "Nothing was different"
    assert names_of_events() == before
    assert person(city.person["marcus"]).version == 1


def test_only_who_may_see_exempt_people_changes_the_exemption(
    city: City, actor: Actors, on_call: Callable[..., int]
) -> None:
    form = views.person_form(city.person["marcus"], actor("luis"))
    assert form is not None
    exempt = PersonForm(
        form.kind, form.name, form.phone, "", form.email, exempt=True, person_id=form.person_id, version=form.version
    )
    assert refused(lambda: commands.update_person(actor("luis"), exempt)).problems[0].field == "exempt"
    may = Actor(actor("sam").staff_id, "Samira Reyes", permissions=frozenset({"customer.edit", "exempt.read"}))
    call_id = on_call(actor("sam"), "marcus")
    commands.update_person(may, dataclasses.replace(exempt, conversation_id=call_id))
    assert person(city.person["marcus"]).exempt_from_public_records


# --- one's own


def test_nobody_changes_their_own_record_nor_a_relatives(city: City, actor: Actors) -> None:
    dana = actor("dana")
    own = views.person_form(city.person["dana"], dana)
    assert own is not None
    assert refused(lambda: commands.update_person(dana, own)).title == "Not your own account"
    with core.work() as work:
        work.add(staff.StaffRelative(staff_id=dana.staff_id, person_id=city.person["odessa"], declared_at=work.now))
    relative = views.person_form(city.person["odessa"], dana)
    assert relative is not None
    refused(lambda: commands.update_person(dana, relative))
    assert names_of_events().count("refusal.reported") == 2
    refused(lambda: commands.add_flag(dana, FlagForm("account", city.account["dana"], "mail_returned")))
    refused(lambda: commands.add_flag(dana, FlagForm("premise", city.premise["tanner9"], "dog")))


def test_who_lives_at_the_same_address_or_in_the_household_counts_as_ones_own(city: City, actor: Actors) -> None:
    dana = actor("dana")
    with core.work() as work:
        mate = core.lock(work.session, rows.Person, city.person["rosa"])
        own = core.lock(work.session, rows.Person, city.person["dana"])
        account = core.lock(work.session, rows.Account, city.account["wei"])
        assert mate is not None
        assert own is not None
        assert account is not None
        mate.household_key = own.household_key = "tanner9"
        account.premise_id = city.premise["tanner9"]
    for who in ("rosa", "wei"):
        with pytest.raises(Refused), core.work() as work:
            commands.refuse_own(work, dana, person_id=city.person[who])
    with core.work() as work:
        commands.refuse_own(work, dana, person_id=city.person["marcus"], account_id=city.account["marcus"])
        commands.refuse_own(work, actor("luis"), person_id=city.person["rosa"])


# --- merging


def test_merged_records_answer_as_one(city: City, actor: Actors) -> None:
    old, kept = city.person["tomas"], city.person["samuel"]
    with core.work() as work:
        work.add(
            rows.OtherNumber(
                source="paper", value="KX-4471", value_folded="kx4471", subject_kind="person", subject_id=old
            )
        )
        work.add(rows.Flag(subject_kind="person", subject_id=old, code="hearing", from_on=work.now.date()))
        luis = city.staff["luis"]
        work.add(CallBack(person_id=old, phone="8505550120", why="Result", due_at=work.now, owner_id=luis))
        work.add(
            rows.AuthorisedPerson(
                account_id=city.account["marcus"],
                person_id=old,
                relation="other",
                powers=["ask"],
                since_on=work.now.date(),
            )
        )
    number = person(old).number
    receipt = commands.merge_persons(actor("sam"), old, kept, 1, 1)
    assert receipt.subject_id == kept
    assert person(old).merged_into_id == kept
    with core.read() as session:
        assert session.scalar(sa.select(rows.Account.person_id).where(rows.Account.id == city.account["tomas"])) == kept
        assert session.scalar(sa.select(CallBack.person_id)) == kept
        assert rows.authorisation(session, city.account["marcus"], kept) is not None
    luis_actor = actor("luis")
    # The old name, number and paper number still find the record that is left.
    for typed in ("tomas elison", number, "KX-4471", "850 555 0120"):
        assert "Samuel Ortiz" in {
            match.title.removeprefix("Former: ") for match in views.find(typed, luis_actor).matches
        }, typed
    for_old = views.for_person(old, luis_actor)
    assert for_old is not None
    assert for_old.person_id == kept
    assert person(kept).other_phone == "8505550120"
    # Merging again, in either direction, is refused.
    assert "was merged before" in refused(lambda: commands.merge_persons(actor("sam"), old, kept)).problems[0].message
    assert "was merged before" in refused(lambda: commands.merge_persons(actor("sam"), kept, old)).problems[0].message


def test_what_happened_is_not_rewritten_by_a_merge(city: City, actor: Actors) -> None:
    from db.contacts import Conversation

    old, kept = city.person["tomas"], city.person["samuel"]
    with core.work() as work:
        conversation = work.add(
            Conversation(
                number="CV-26-0000017", channel="phone", staff_id=city.staff["luis"], person_id=old, started_at=work.now
            )
        )
        work.add(
            IdentityCheck(
                conversation_id=conversation.id, person_id=old, method="pin", passed=True, strength=2, checked_at=work.now,
                staff_id=city.staff["luis"],
            )
        )  # fmt: skip
    commands.merge_persons(actor("sam"), old, kept)
    with core.read() as session:
        assert session.scalar(sa.select(IdentityCheck.person_id)) == old


@pytest.mark.parametrize(
    ("old", "kept", "sentence"),
    [
        ("marcus", "marcus", "the same record"),
        ("marcus", "bluewater", "a person and the other a company"),
        ("marcus", None, "no such record"),
    ],
)
def test_what_cannot_be_merged_stays_as_it_was(
    city: City, actor: Actors, old: str, kept: str | None, sentence: str
) -> None:
    kept_id = city.person[kept] if kept else 999_999
    assert (
        sentence in refused(lambda: commands.merge_persons(actor("sam"), city.person[old], kept_id)).problems[0].message
    )
    assert person(city.person[old]).merged_into_id is None


def test_a_person_authorised_on_their_own_other_record_is_no_longer_listed(city: City, actor: Actors) -> None:
    # Rosa may act for Marcus; if both are one person, she needs no authorisation on her own account.
    commands.merge_persons(actor("sam"), city.person["rosa"], city.person["marcus"])
    summary = views.summary(city.account["marcus"], actor("sam"))
    assert summary is not None
    assert summary.people == ()


# --- who may act, and flags


def test_somebody_new_may_act_until_it_is_ended(city: City, actor: Actors) -> None:
    account = city.account["priya"]
    form = AuthorisedForm(account, None, "Anand Raman", "8505550164", "spouse", ("pay", "ask"))
    commands.add_authorised_person(actor("luis"), form)
    summary = views.summary(account, actor("luis"))
    assert summary is not None
    assert [(one.name, one.relation, one.powers) for one in summary.people] == [
        ("Anand Raman", "Spouse or partner", "ask, pay")
    ]
    assert views.find("anand raman", actor("luis")).matches[0].second.startswith("may act for Priya Raman")
    anand = summary.people[0]
    again = AuthorisedForm(account, anand.person_id, relation="spouse", powers=("ask",))
    assert "already" in refused(lambda: commands.add_authorised_person(actor("luis"), again)).problems[0].message
    commands.end_authorised_person(actor("luis"), anand.id)
    summary = views.summary(account, actor("luis"))
    assert summary is not None
    assert summary.people == ()
    refused(lambda: commands.end_authorised_person(actor("luis"), anand.id))
    commands.add_authorised_person(actor("luis"), again)  # and once more, on the same row
    own = AuthorisedForm(account, city.person["priya"], relation="other", powers=("ask",))
    assert (
        "This is the customer"
        in refused(lambda: commands.add_authorised_person(actor("luis"), own)).problems[0].message
    )


def test_a_flag_stands_until_it_is_taken_away(city: City, actor: Actors) -> None:
    form = FlagForm("premise", city.premise["ellis903"], "dog", "Two dogs")
    commands.add_flag(actor("luis"), form)
    assert "stands there already" in refused(lambda: commands.add_flag(actor("luis"), form)).problems[0].message
    summary = views.summary(city.account["priya"], actor("luis"))
    assert summary is not None
    assert [(flag.name, flag.words) for flag in summary.flags] == [("Dog", "Two dogs")]
    commands.end_flag(actor("luis"), summary.flags[0].id)
    summary = views.summary(city.account["priya"], actor("luis"))
    assert summary is not None
    assert summary.flags == ()
    assert (
        "does not belong on"
        in refused(lambda: commands.add_flag(actor("luis"), FlagForm("person", city.person["priya"], "dog")))
        .problems[0]
        .message
    )
    refused(lambda: commands.add_flag(actor("luis"), FlagForm("premise", 999_999, "dog")))
    refused(lambda: commands.end_flag(actor("luis"), 999_999))


def test_each_act_needs_its_permission(city: City) -> None:
    nobody = Actor(city.staff["ada"], "Ada Okafor")
    for call in (
        lambda: commands.add_person(nobody, PersonForm("person", "A B")),
        lambda: commands.update_person(nobody, PersonForm("person", "A B")),
        lambda: commands.merge_persons(nobody, 1, 2),
        lambda: commands.add_authorised_person(nobody, AuthorisedForm(1)),
        lambda: commands.end_authorised_person(nobody, 1),
        lambda: commands.add_flag(nobody, FlagForm("person", 1, "dog")),
        lambda: commands.end_flag(nobody, 1),
    ):
        assert refused(call).title == "You may not do this"
