import datetime as dt

import pytest

from portal.contacts import rules

NOW = dt.datetime(2026, 11, 24, 15, 42, tzinfo=dt.UTC)
LATER = NOW + dt.timedelta(hours=2)


def test_a_secret_is_stored_as_a_salted_hash_and_found_again() -> None:
    first, second = rules.hash_secret("4711"), rules.hash_secret("4711")
    assert first != second, "two customers with one PIN have two hashes"
    assert "4711" not in first
    assert first.startswith("scrypt$16384$8$1$")
    assert len(first) <= 200, "fits its column"
    assert rules.verify_secret("4711", first)
    assert not rules.verify_secret("4712", first)
    assert not rules.verify_secret("", first)


def test_a_given_salt_makes_the_same_hash_for_the_demo_city() -> None:
    assert rules.hash_secret("4711", b"s" * 16) == rules.hash_secret("4711", b"s" * 16)


@pytest.mark.parametrize("said", ["Blue Heron", "  blue   heron ", "BLUE HERON", "ｂｌｕｅ heron"])
def test_a_passphrase_is_heard_not_spelled(said: str) -> None:
    assert rules.verify_secret(said, rules.hash_secret("blue heron"))


@pytest.mark.parametrize("stored", ["", "scrypt$", "plain$4711", "4711", "scrypt$1$2$3$4"])
def test_what_is_no_hash_matches_nothing(stored: str) -> None:
    assert not rules.verify_secret("4711", stored)
    assert not rules.verify_secret("", stored)


@pytest.mark.parametrize("secret", ["4711", "20481", "blue heron", "Größe 12", "a" * 64])
def test_a_good_secret_has_no_problem(secret: str) -> None:
    assert rules.secret_problems(secret) == []


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("", "Enter the PIN"),
        ("   ", "Enter the PIN"),
        ("123", "3 digits"),
        ("123456789", "9 digits"),
        ("1111", "too easy"),
        ("1234", "too easy"),
        ("87654", "too easy"),
        ("heron", "5 characters"),
        ("a" * 65, "65 characters"),
        ("a" * 10_000, "10000 characters"),
        ("078-05-1120", "Social Security"),
        ("4111 1111 1111 1111", "payment card"),
    ],
)
def test_a_bad_secret_is_refused_with_the_remedy(secret: str, says: str) -> None:
    (problem,) = rules.secret_problems(secret)
    assert problem.field == "secret"
    assert says in problem.message


def test_more_facts_prove_more() -> None:
    facts = {"level": [{"facts": 2, "strength": 1}, {"facts": 3, "strength": 2}]}
    assert [rules.strength_of(facts, count) for count in range(5)] == [0, 0, 1, 2, 2]
    assert rules.facts_needed(facts) == 2
    assert rules.strength_of({"strength": 2}) == 2


def test_checks_lock_after_the_last_try() -> None:
    lock = rules.lock_of({"failures": 3, "minutes": 30})
    assert rules.locked_until_after(2, lock, NOW) is None
    assert rules.locked_until_after(3, lock, NOW) == NOW + dt.timedelta(minutes=30)
    assert rules.lock_of(None) == rules.Lock(3, 30)


def test_an_action_waits_for_a_check_that_is_strong_enough() -> None:
    assert rules.identity_problem(rules.IdentityNeed("move.stop", "Stop service", 2, 2)) is None
    assert rules.identity_problem(rules.IdentityNeed("request.open", "Open a request", 0, 0)) is None
    for about, remedy in (
        ("this", "first: ask for"),
        ("other", "Open the customer"),
        ("none", "Take the call (Alt+A)"),
    ):
        problem = rules.identity_problem(rules.IdentityNeed("move.stop", "Stop service", 2, 1, about))
        assert problem is not None
        assert "“Stop service” needs a check" in problem.message
        assert remedy in problem.message
        assert "three account facts" in problem.message


@pytest.mark.parametrize(
    ("plan", "fields"),
    [
        (rules.CallBackPlan("(850) 555-0142", "Tell her the cart is there", LATER), []),
        (rules.CallBackPlan("", "", None), ["phone", "why", "due"]),
        (rules.CallBackPlan("555-0142", "x", LATER), ["phone"]),
        (rules.CallBackPlan("8505550142", "x" * 10_000, LATER), ["why"]),
        (rules.CallBackPlan("8505550142", "Her card is 4111111111111111", LATER), ["why"]),
        (rules.CallBackPlan("8505550142", "nul \0 here", LATER), ["why"]),
        (rules.CallBackPlan("8505550142", "x", NOW), ["due"]),
        (rules.CallBackPlan("8505550142", "x", NOW + dt.timedelta(days=400)), ["due"]),
        (rules.CallBackPlan("=HYPERLINK(1)", "<script>alert(1)</script> 🙂", LATER), ["phone"]),
    ],
)
def test_a_call_back_names_what_is_wrong(plan: rules.CallBackPlan, fields: list[str]) -> None:
    assert [problem.field for problem in rules.call_back_problems(plan, NOW)] == fields


def test_a_promised_credit_has_an_amount() -> None:
    assert rules.promise_problems(rules.PromisePlan("date", "Cart by Friday", LATER), NOW) == []
    credit = rules.PromisePlan("credit", "Late fee back", LATER)
    assert [problem.field for problem in rules.promise_problems(credit, NOW)] == ["amount"]
    assert [problem.field for problem in rules.promise_problems(rules.PromisePlan("moon", "", None), NOW)] == [
        "kind",
        "words",
        "due",
    ]


def test_a_wrap_up_names_the_part_that_is_wrong() -> None:
    form = rules.WrapUp(
        1,
        None,
        "made_up",
        note="My SSN is 078-05-1120",
        opinions=(rules.Opinion("nothing", "maybe", "x" * 2_000),),
        call_back=rules.CallBackPlan("1", "why", LATER),
        promises=(rules.PromisePlan("date", "", LATER),),
    )
    found = rules.wrap_up_problems(form, frozenset({"how_to"}), frozenset({"answered"}), frozenset({"rates"}), NOW)
    assert [problem.field for problem in found] == [
        "reason",
        "disposition",
        "note",
        "opinion_subject",
        "opinion_stance",
        "opinion_words",
        "call_back_phone",
        "promise_words",
    ]


def test_what_was_done_suggests_the_outcome() -> None:
    choices = [
        {"code": "service_ordered", "when": ["move."]},
        {"code": "case_opened", "when": ["request.opened"]},
        {"code": "other"},
    ]
    assert rules.suggested(choices, ["conversation.begun", "request.opened"]) == "case_opened"
    assert rules.suggested(choices, ["move.started"]) == "service_ordered"
    trash = {"code": "collection", "when": ["request.opened:missed_"]}
    happened = ["request.opened", "request.opened:missed_garbage"]
    assert rules.suggested([*choices, trash], happened) == "collection", "the more exact one"
    assert rules.suggested(choices, ["conversation.begun"]) is None


def test_an_emergency_is_stamped_with_a_place_alone() -> None:
    kinds = frozenset({"gas_odor"})
    assert rules.emergency_problems(rules.Emergency("gas_odor", "12 Market Sq"), kinds) == []
    fields = [problem.field for problem in rules.emergency_problems(rules.Emergency("fire", " ", "12"), kinds)]
    assert fields == ["kind", "place", "callback_phone"]
