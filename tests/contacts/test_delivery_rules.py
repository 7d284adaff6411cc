"""Rules of delivery: when a message is tried again, what an answer means, which letter, where a webhook may go."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import ipaddress
import itertools
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.contacts.rules import delivery
from portal.contacts.rules.delivery import Outcome, Reach, RetryPolicy, Wanted

PACK = Path(__file__).resolve().parents[2] / "db" / "packs" / "base"
POLICIES = st.builds(
    RetryPolicy,
    first_wait=st.integers(1, 3600).map(lambda seconds: dt.timedelta(seconds=seconds)),
    factor=st.floats(1.0, 10.0),
    longest_wait=st.integers(1, 86_400).map(lambda seconds: dt.timedelta(seconds=seconds)),
    most_attempts=st.integers(1, 50),
    jitter=st.floats(0.0, 0.9),
)
DRAWS = st.floats(0.0, 1.0)
TICK = dt.timedelta(microseconds=2)  # what rounding to microseconds may do


@given(POLICIES, st.integers(1, 60), DRAWS)
def test_a_wait_lies_around_the_doubled_one_and_ends_with_the_last_try(
    policy: RetryPolicy, attempts: int, draw: float
) -> None:
    wait = delivery.wait_before_next(policy, attempts, draw)
    assert (wait is None) == (attempts >= policy.most_attempts)
    if wait is not None:
        # The same by the closed form: first * factor^(n-1), at most the longest, stretched by at most the jitter.
        plain = min(
            policy.first_wait.total_seconds() * policy.factor ** min(attempts - 1, 300),
            policy.longest_wait.total_seconds(),
        )
        assert dt.timedelta(seconds=plain * (1 - policy.jitter)) - TICK <= wait
        assert wait <= dt.timedelta(seconds=plain * (1 + policy.jitter)) + TICK


@given(POLICIES, DRAWS)
def test_waits_never_shrink_for_the_same_lot(policy: RetryPolicy, draw: float) -> None:
    waits = [delivery.wait_before_next(policy, attempts, draw) for attempts in range(1, policy.most_attempts)]
    assert all(a is not None and b is not None and a <= b for a, b in itertools.pairwise(waits))


@given(
    POLICIES,
    st.integers(1, 60),
    st.sampled_from(["sent", "later", "refused", "no_server"]),
    DRAWS,
    st.integers(0, 10**6),
)
def test_what_becomes_of_a_message(policy: RetryPolicy, attempts: int, kind: str, draw: float, asked: int) -> None:
    step = delivery.after(policy, attempts, Outcome(kind, "why", dt.timedelta(seconds=asked)), draw)
    assert step.state in ("sent", "ready", "failed")
    assert (step.state == "sent") == (kind == "sent")
    assert step.wait >= dt.timedelta()
    assert step.wait <= policy.longest_wait * (1 + policy.jitter) + TICK
    assert step.counts == (kind != "no_server")
    if step.state != "sent":
        assert "why" in step.reason
    if kind == "later":
        assert (step.state == "failed") == (attempts >= policy.most_attempts)


def test_the_shipped_policy_gives_up_after_about_two_days() -> None:
    """1, 2, 4, ... 256 minutes are nine waits of 511 minutes together; six more of six hours make 2,671 minutes, 44.5 hours: the
    figure its file names."""
    policy = delivery.policy_of(tomllib.loads((PACK / "delivery_policy" / "standard.toml").read_text("utf-8")))
    assert policy == RetryPolicy()
    waits = [delivery.wait_before_next(policy, attempts, 0.5) for attempts in range(1, 17)]
    assert waits[-1] is None
    assert sum(wait.total_seconds() for wait in waits if wait is not None) / 60 == pytest.approx(2671)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(250, "sent"), (421, "later"), (451, "later"), (452, "later"), (550, "refused"), (554, "refused")],
)
def test_what_a_mail_server_means(code: int, kind: str) -> None:
    """RFC 5321 4.2.1."""
    assert delivery.smtp_outcome(code, "words\r\nmore").kind == kind
    assert "\n" not in delivery.smtp_outcome(code, "words\r\nmore").words


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (200, "sent"),
        (202, "sent"),
        (204, "sent"),
        (301, "refused"),
        (400, "refused"),
        (401, "refused"),
        (404, "refused"),
    ]
    + [
        (408, "later"),
        (409, "refused"),
        (410, "refused"),
        (425, "later"),
        (429, "later"),
        (500, "later"),
        (503, "later"),
    ],
)
def test_what_a_receiver_means(code: int, kind: str) -> None:
    assert delivery.http_outcome(code, "").kind == kind


def test_a_receiver_may_ask_for_patience_up_to_the_longest_wait() -> None:
    policy = RetryPolicy(jitter=0.0)
    asked = delivery.http_outcome(429, "", "600")
    assert delivery.after(policy, 1, asked, 0.5).wait == dt.timedelta(minutes=10)
    assert delivery.after(policy, 1, delivery.http_outcome(503, "", "999999"), 0.5).wait == policy.longest_wait
    assert delivery.http_outcome(503, "", "Wed, 21 Oct 2026 07:28:00 GMT").wait is None


@pytest.mark.parametrize(
    "good", ["a@b.example", "first.last+tag@city.example", "märcus@exämple.com", "o'brien@x.example", "a@localhost"]
)
def test_one_mailbox(good: str) -> None:
    assert delivery.is_mailbox(good)


@pytest.mark.parametrize(
    "bad",
    ["", "a", "a@", "@b", "a@b@c", "a@b.example, c@d.example", "A <a@b.example>", "a@b.example\r\nBcc: c@d.example"]
    + [
        "a b@c.example",
        "a@b..example",
        "a@b.example;c@d.example",
        '"a b"@c.example',
        "a@[127.0.0.1]",
        "a\u200b@b.example",
    ]
    + ["a\u2028@b.example", "x" * 65 + "@b.example", "a@" + "b" * 260, "a@b.example\x00"],
)
def test_no_mailbox(bad: str) -> None:
    assert not delivery.is_mailbox(bad)


@given(st.text(), st.integers(1, 300))
def test_a_line_is_a_line(text: str, most: int) -> None:
    line = delivery.plain_line(text, most)
    assert len(line) <= max(most, 1)
    assert not set(line) & set("\r\n\t\x00\x0b\x0c\x85\u2028\u2029")
    line.encode()  # no half of a pair


@given(st.text())
def test_a_body_keeps_its_words(text: str) -> None:
    body = delivery.plain_text(text)
    body.encode()
    assert "\r" not in body
    assert delivery.plain_text(body) == body
    if text.isprintable():
        assert body == text


LETTERS = [
    {"code": "general"},
    {"code": "request_closed"},
    {"code": "closed_by_text", "template": "request_closed", "channel": "text"},
    {"code": "garbage_closed", "template": "request_closed", "request_type": "missed_garbage"},
    {"code": "garbage_not_found", "template": "request_closed", "request_type": "missed_garbage", "disposition": "not_found"},
    {"code": "garbage_not_found_text", "template": "request_closed", "request_type": "missed_garbage", "disposition": "not_found", "channel": "text"},
    {"code": "any_not_found", "template": "request_closed", "disposition": "not_found"},
    {"code": "welcome"},
]  # fmt: skip


@pytest.mark.parametrize(
    ("wanted", "first"),
    [
        (Wanted("request_closed", "missed_garbage", "not_found", "text"), "garbage_not_found_text"),
        (Wanted("request_closed", "missed_garbage", "not_found", "email"), "garbage_not_found"),
        (Wanted("request_closed", "missed_garbage", "done", "text"), "garbage_closed"),
        (Wanted("request_closed", "pothole", "not_found", "email"), "any_not_found"),
        (Wanted("request_closed", "pothole", "done", "text"), "closed_by_text"),
        (Wanted("request_closed", "pothole", "done", "email"), "request_closed"),
        (Wanted("taken_away", otherwise="request_closed"), "request_closed"),
        (Wanted("never_written"), "general"),
        (Wanted("welcome", "missed_garbage", "not_found", "text"), "welcome"),
    ],
)
def test_the_most_particular_letter_goes_first(wanted: Wanted, first: str) -> None:
    order = [letter["code"] for letter in delivery.letters_in_order(LETTERS, wanted)]
    assert order[0] == first
    assert order[-1] == "general"
    assert len(order) == len(set(order))


OWN = Reach(networks=(ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("fd00:20::/32")))


@pytest.mark.parametrize(
    ("reach", "scheme", "addresses", "said"),
    [
        (Reach(), "https", ["93.184.216.34"], ""),
        (Reach(), "http", ["93.184.216.34"], "https://"),
        (Reach(), "https", ["127.0.0.1"], "private network"),
        (Reach(), "https", ["10.20.1.1"], "PORTAL_WEBHOOK_NETWORKS"),
        (Reach(), "https", ["169.254.169.254"], "private network"),  # where clouds keep their secrets
        (Reach(), "https", ["::1"], "private network"),
        (Reach(), "https", ["::ffff:10.0.0.1"], "private network"),
        (Reach(), "https", ["fe80::1%eth0"], "private network"),
        (Reach(), "https", ["224.0.0.1"], "private network"),
        (Reach(), "https", ["0.0.0.0"], "private network"),  # noqa: S104  # an address that is refused, nothing binds to it
        (Reach(), "https", ["93.184.216.34", "10.0.0.1"], "private network"),  # one inside among public ones
        (Reach(), "https", [], "nowhere"),
        (OWN, "http", ["10.20.1.1"], ""),
        (OWN, "http", ["::ffff:10.20.1.1"], ""),
        (OWN, "https", ["fd00:20::7"], ""),
        (OWN, "https", ["10.21.0.1"], "private network"),
        (Reach(public=False), "https", ["93.184.216.34"], "nothing leaves the machine"),
    ],
)
def test_where_a_webhook_may_go(reach: Reach, scheme: str, addresses: list[str], said: str) -> None:
    problem = delivery.reach_problem(reach, scheme, addresses)
    assert said in problem
    assert bool(problem) == bool(said)


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x.example/",
        "file:///etc/passwd",
        "https://",
        "https://u:p@x.example/",
        "https://x.example/a b",
        "https://x.example:0/",
        "https://x.example:99999/",
        "https://exämple.com/",
        "",
    ],
)
def test_addresses_that_are_none(url: str) -> None:
    assert delivery.url_problems("acme", url)
    assert delivery.target_problems("acme", {"by": "webhook", "url": url})


def test_a_signature_is_the_one_of_standard_webhooks() -> None:
    """Computed here by the words of the specification: HMAC-SHA-256 over “id.timestamp.body”, Base64, “v1,” before it."""
    body = '{"a": "😀"}'.encode()
    expected = base64.b64encode(hmac.digest(b"secret", b"key.1795529262." + body, hashlib.sha256)).decode()
    assert delivery.signature("secret", "key", 1795529262, body) == f"v1,{expected}"


def test_each_receiver_has_a_secret_of_its_own_and_a_new_one_on_request() -> None:
    key = "k" * 32
    acme, other = delivery.Target("acme", "webhook"), delivery.Target("other", "webhook")
    renewed = delivery.Target("acme", "webhook", key_version=2)
    assert len({delivery.webhook_secret(key, target) for target in (acme, other, renewed)}) == 3


def test_a_handing_key_comes_from_the_row_alone() -> None:
    at = dt.datetime(2026, 11, 24, 15, 42, 0, 123456, dt.UTC)
    key = delivery.handing_key(7, at)
    assert key == "message-7-20261124T154200123456"
    assert delivery.handing_key(7, at.astimezone(dt.timezone(dt.timedelta(hours=-5)))) == key
    assert delivery.message_id_header(key, "desk@city.example") == f"<{key}@city.example>"
    assert delivery.message_id_header(key, "desk@münchen.example") == f"<{key}@xn--mnchen-3ya.example>"


@given(st.lists(st.sampled_from(["order", "place", "planned", "instructions"]), unique=True))
def test_facts_name_what_is_known_only(known: list[str]) -> None:
    words = delivery.facts_words({name: f"the {name}" for name in known} | {"number": "WO-1"})
    assert len(words.splitlines()) == len(known)
    assert "WO-1" not in words
