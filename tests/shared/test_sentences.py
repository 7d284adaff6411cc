import re
from pathlib import Path

import pytest

from portal.shared.sentences import SENTENCES, icon, sentence
from portal.staff.rules import PERMISSIONS

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("name", "detail", "says"),
    [
        ("identity.passed", {"method": "account_facts"}, "Identity checked by account facts"),
        ("identity.passed", {}, "Identity checked"),
        ("conversation.wrapped_up", {"reason": "how_to", "disposition": "answered"}, "Wrapped up: how to, answered"),
        ("call_back.gave_up", {"attempt": 3}, "Gave up calling back after 3 tries"),
        ("emergency.stamped", {"kind": "Gas odor"}, "Emergency taken: Gas odor"),
        ("emergency.stamped", {}, "Emergency taken: something"),
        ("parade.moved_on", {"x": 1}, "Parade moved on"),
        ("identity.passed", {"method": ["a"]}, "Identity checked"),
    ],
)
def test_an_event_is_a_sentence(name: str, detail: dict[str, object], says: str) -> None:
    assert sentence(name, detail) == says


def test_every_event_of_the_conversations_has_its_sentence() -> None:
    for path in (ROOT / "portal" / "contacts" / "commands").glob("*.py"):
        names = re.findall(
            r'"((?:conversation|identity|promise|call_back|emergency|opinion)\.[a-z_]+)"', path.read_text("utf-8")
        )
        assert set(names) - set(PERMISSIONS) <= set(SENTENCES), path.name


def test_an_icon_stands_for_each_kind_of_event() -> None:
    assert icon("identity.passed") == "verified_user"
    assert icon("nothing.known") == "event_note"
