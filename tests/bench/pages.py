"""The interactions that are measured: what a person does on each main page, and the budget of each.

A page that is opened runs whole: front door, menu, call bar and the page. A field inside a fragment runs only that. Rows are
taken in turn, so that no page is measured on one customer whose rows lie ready.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from db import core

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.bench.wire import Tab, Took

PAGE, QUEUE, DASHBOARD = 2.0, 2.5, 4.0
"""What a page may cost, as a multiple of a trivial page in the same run."""
GROWTH = 1.3
"""What a page may cost in the largest city, as a multiple of itself in a small one."""
SAMPLE = 60
REPRESENTATIVE, ON_A_CALL, CART_SHOP, MANAGER, ADMINISTRATOR = 2, 6, 11, 4, 5
"""People of the demo city: one between calls, one on a call, one of a division with much open work."""


@dataclass(frozen=True)
class Rows:
    """Rows of a city, each list to be taken in turn."""

    accounts: list[int]
    names: list[str]
    addresses: list[str]
    requests: list[int]
    orders: list[int]
    premises: list[int]


@dataclass
class Interaction:
    """Something a person does on a page, again and again."""

    name: str
    budget: float
    staff_id: int
    do: Callable[[Tab], Took]
    first: Callable[[Tab], Any] = field(default=lambda _tab: None)
    """What brings the page into the state in which it is done; not measured."""


def sample(url: str) -> Rows:
    """Rows spread over a city, the same for the same city; reads only."""
    database = core.Database(url)
    try:
        with database.reading() as session:

            def some(what: str, table: str, where: str) -> list[Any]:
                last = session.scalar(sa.text(f"SELECT max(id) FROM {table}")) or 1
                found = []
                for at in range(SAMPLE):
                    beyond = 1 + (last - 1) * at // SAMPLE
                    statement = sa.text(
                        f"SELECT {what} FROM {table} WHERE id >= :beyond AND {where} ORDER BY id LIMIT 1"
                    )
                    value = session.scalar(statement, {"beyond": beyond})
                    if value is not None:
                        found.append(value)
                return found

            return Rows(
                accounts=some("id", "account", "closed_on IS NULL"),
                names=some("name", "person", "name LIKE '% %'"),
                addresses=some("address", "premise", "address <> ''"),
                requests=some("id", "service_request", "1 = 1"),
                orders=some("id", "work_order", "1 = 1"),
                premises=some("id", "premise", "1 = 1"),
            )
    finally:
        database.dispose()


def keystrokes(words: list[str]) -> Iterator[str]:
    """What stands in a find box while words are typed: their third, fifth, eighth and last letter, word after word."""
    for word in itertools.cycle(words):
        for length in (3, 5, 8, len(word)):
            yield word[:length]


def interactions(rows: Rows) -> list[Interaction]:
    """All of them, in the order of the table."""
    accounts, requests, orders, premises = (
        itertools.cycle(each) for each in (rows.accounts, rows.requests, rows.orders, rows.premises)
    )
    typed = keystrokes([name for pair in zip(rows.names, rows.addresses, strict=False) for name in pair])
    words = itertools.cycle(
        ("cart", "repair", "deliver", "swap")
    )  # what the cart shop has: a filter that finds nothing is cheap
    pages = itertools.cycle((2, 3, 4, 1))

    def opened(name: str, budget: float, page: str, staff_id: int = REPRESENTATIVE, **query: Any) -> Interaction:
        def do(tab: Tab) -> Took:
            return tab.open(
                page, **{key: next(value) if hasattr(value, "__next__") else value for key, value in query.items()}
            )

        return Interaction(name, budget, staff_id, do)

    def field_typed(
        name: str, budget: float, page: str, label: str, values: Iterator[Any], staff_id: int = REPRESENTATIVE,
        then: Callable[[Tab], Any] = lambda _tab: None, **query: Any,
    ) -> Interaction:  # fmt: skip
        def first(tab: Tab) -> None:
            tab.open(page, **query)
            then(tab)

        return Interaction(name, budget, staff_id, lambda tab: tab.type(label, next(values)), first)

    one = rows.accounts[0]

    def next_page(tab: Tab) -> Took:
        return tab.type("", next(pages))

    def choose_type(tab: Tab) -> None:
        label = "What is it about?"
        tab.type(label, next(each for each in tab.part(label, "selectbox").message.options if "issed" in each))

    def on_a_call(tab: Tab) -> None:
        tab.open("call_desk")
        if tab.has("Take a call", "button"):
            tab.click("Take a call")

    return [
        opened("Call desk, opened", PAGE, "call_desk"),
        field_typed("Find: a key more in the box", PAGE, "call_desk", "Find a customer", typed),
        opened("Customer, opened", PAGE, "customer", account=accounts),
        opened("New request, opened", PAGE, "service_request", account=accounts),
        field_typed(
            "New request: an answer given, garbage missed",
            PAGE,
            "service_request",
            "Tell the caller by",
            itertools.cycle(("Letter", "Not at all")),
            then=choose_type,
            account=one,
        ),
        opened("Work queue, opened", QUEUE, "work_queue", CART_SHOP, scope="division"),
        Interaction(
            "Work queue: the next page",
            QUEUE,
            CART_SHOP,
            next_page,
            lambda tab: tab.open("work_queue", scope="division"),
        ),
        field_typed(
            "Work queue: a word in the filter", QUEUE, "work_queue", "Filter", words, CART_SHOP, scope="division"
        ),
        opened("Request, opened", PAGE, "case", id=requests),
        opened("Work order, opened", PAGE, "work_order", id=orders),
        opened("Start service, opened", PAGE, "start_service", premise=premises),
        opened("Emergency, opened", PAGE, "emergency"),
        opened("Articles, opened", PAGE, "articles"),
        opened("Call-backs and promises, opened", PAGE, "call_backs"),
        opened("Known events, opened", PAGE, "known_events"),
        Interaction("Wrap up, opened on a call", PAGE, ON_A_CALL, lambda tab: tab.open("wrap_up"), on_a_call),
        opened("Staff, opened", PAGE, "staff", ADMINISTRATOR),
        opened("Public opinion, opened", DASHBOARD, "public_opinion", MANAGER),
        opened("Service levels, opened", DASHBOARD, "service_levels", MANAGER),
    ]
