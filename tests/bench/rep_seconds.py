"""Seconds of a representative's time for five tasks, counted on the real pages with the keystroke-level model.

    .venv/bin/python -m tests.bench.rep_seconds sqlite:////tmp/city.db      # writes the requests and the start it enters

A task is done in Chromium as a skilled person does it, and each thing the hand and the head do is counted:

    K 0.28 s   one key (40 words a minute); Alt+1 is two, a letter one
    P 1.10 s   pointing at something with the mouse
    B 0.20 s   pressing the mouse button
    H 0.40 s   the hand going to the mouse or back
    M 1.35 s   thinking: before the words that are typed first, before each answer that must be heard, and before a choice
               among things that are read; none before a key that follows by itself (Enter or Alt+1 on the first match, Tab, Ctrl+Enter)
    R          waiting for the page, measured, wherever the person must see something before going on

A field is reached by Tab when that is quicker than hand, mouse and back, else with the mouse. Speaking and listening are no part
of it. Before the count starts a call has been taken, the customer found and the caller's identity checked, where the task is
about a known customer.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import sqlalchemy as sa
from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from db import core
from tests import running, tools
from tests.journeys import walking

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Locator, Page

SECONDS = {"K": 0.28, "P": 1.10, "B": 0.20, "H": 0.40, "M": 1.35}
WITH_MOUSE = 2 * SECONDS["H"] + SECONDS["P"] + SECONDS["B"]
REPRESENTATIVE = 2
APPEAR_MS = 30_000


@dataclass
class Hand:
    """Does things on a page and counts them."""

    page: Page
    counts: Counter[str] = field(default_factory=Counter)
    spent_on: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    """Seconds by what they were spent on."""
    waits: dict[str, float] = field(default_factory=dict)
    """Seconds by what was waited for."""

    def think(self, about: str) -> None:
        self._count("M", 1, f"thinking: {about}")

    def press(self, chord: str, why: str = "") -> None:
        self.page.keyboard.press(chord)
        self._count("K", len(chord.split("+")), why or chord)

    def type(self, words: str) -> None:
        self.page.keyboard.type(words, delay=SECONDS["K"] * 1000)
        self._count("K", len(words), f"typing “{words}”")

    def click(self, what: Locator, why: str) -> None:
        """Hand to the mouse, point, press; the hand stays there until the next key."""
        what.click()
        self._count("H", 1, why)
        self._count("P", 1, why)
        self._count("B", 1, why)

    def click_again(self, what: Locator, why: str) -> None:
        """The hand is on the mouse already; afterwards it goes back to the keys."""
        what.click()
        self._count("P", 1, why)
        self._count("B", 1, why)
        self._count("H", 1, why)

    def reach(self, name: str) -> None:
        """Brings the keyboard to a field, by Tab or by a click, whichever is quicker."""
        inside = self.page.get_by_role("radiogroup", name=name).or_(self.page.get_by_label(name, exact=False)).first
        pressed = 0
        while pressed * SECONDS["K"] <= WITH_MOUSE:
            if inside.evaluate("one => one.contains(document.activeElement)"):
                self._count("K", pressed, f"Tab to “{name}”")
                return
            self.page.keyboard.press("Tab")
            pressed += 1
        inside.click()
        for letter, times in (("H", 2), ("P", 1), ("B", 1)):
            self._count(letter, times, f"mouse to “{name}”")

    def answer(self, question: str, key: str = "Space") -> None:
        """One of a few answers that stand side by side: Space takes the first, an arrow goes on."""
        self.think(question)
        self.reach(question)
        self.press(key, f"answer to “{question}”")

    def wait(self, what: Locator, name: str) -> None:
        """Waits until something is on the screen, and counts the wait."""
        began = time.perf_counter()
        what.wait_for(timeout=APPEAR_MS)
        self.waits[name] = self.waits.get(name, 0.0) + time.perf_counter() - began

    @property
    def waited(self) -> float:
        return sum(self.waits.values())

    @property
    def seconds(self) -> float:
        return sum(SECONDS[letter] * times for letter, times in self.counts.items())

    def _count(self, letter: str, times: int, why: str) -> None:
        self.counts[letter] += times
        self.spent_on[why] += SECONDS[letter] * times


# --- the tasks --------------------------------------------------------------------------------------------------------


def find_customer(hand: Hand) -> None:
    """From any page: the find box, the family name, the first match."""
    page = hand.page
    hand.press("Control+K")
    hand.wait(page.get_by_label("Find a customer"), "the find box")
    _focused(page, "Find a customer")
    hand.think("whom to look for")
    hand.type("ellison")
    hand.wait(page.get_by_text("Marcus Ellison").first, "the match")
    walking.settle(page)
    hand.press("Enter", "the first match")
    hand.wait(page.get_by_role("heading", name="Marcus Ellison"), "the customer")


def complaint(hand: Hand) -> None:
    """A missed garbage cart, from the customer's page: what must be answered, and nothing else."""
    page = hand.page
    _new_request(hand, "garb", "Out by 6:30 am?")
    hand.answer("Out by 6:30 am?")
    hand.answer("How many carts?")
    _submit(hand, "Missed garbage is taken")
    walking.settle(page)


def action_order(hand: Hand) -> None:
    """A pothole in front of the customer's house, from the customer's page."""
    page = hand.page
    _new_request(hand, "poth", "How big?")
    hand.think("whether it is at the customer’s address, which stands there")
    hand.answer("How big?")
    hand.answer("Where in the road?")
    _submit(hand, "Pothole is taken")
    walking.settle(page)


def start_services(premise: tuple[int, str]) -> Callable[[Hand], None]:
    """Four services at another address of a known customer, from the customer's page."""

    def do(hand: Hand) -> None:
        page = hand.page
        hand.click(page.get_by_role("button", name="More"), "mouse to “Start more services”")
        hand.click_again(page.get_by_role("menuitem", name="Start more services"), "mouse to “Start more services”")
        hand.wait(page.get_by_label("Where does service start?"), "the form")
        _focused(page, "Where does service start?")
        hand.think("the address")
        hand.type(premise[1])
        hand.wait(page.get_by_role("button", name=premise[1]).first, "the address")
        walking.settle(page)
        hand.press("Alt+1")
        hand.wait(page.get_by_text("Preselected from what the premise has"), "its services")
        walking.settle(page)
        hand.think("the day")
        hand.click(page.get_by_role("spinbutton", name="day, Start on"), "mouse to the day")
        hand.type(f"{_day_shown(page):02d}")
        if page.get_by_role("radiogroup", name="Evidence").count():
            hand.answer("Evidence")
        hand.think("the words to read back")
        _submit(hand, "", expect="Say to the caller")

    return do


def adjustment(hand: Hand) -> None:
    """A leak credit above the limit, from the customer's page: twenty letters of reason, sent for approval."""
    page = hand.page
    page.get_by_role("button", name="Adjust bill").wait_for(timeout=APPEAR_MS)
    walking.settle(page)
    hand.press("B")
    hand.wait(page.get_by_label("What for?"), "the form")
    _focused(page, "What for?")
    hand.think("what it is for")
    hand.type("leak")
    hand.wait(page.get_by_role("option").first, "the kinds")
    hand.press("Enter", "the first kind")
    hand.wait(page.get_by_text("Effect on the balance"), "the proposal")
    walking.settle(page)
    hand.think("whether bill, line and amount are right")
    hand.reach("Why, for the bill")
    hand.think("the reason")
    hand.type("Plumber’s bill seen.")
    hand.press("Control+Enter")
    hand.wait(page.get_by_role("heading", name="Leak credit"), "the receipt")
    walking.settle(page)


def _new_request(hand: Hand, words: str, first_question: str) -> None:
    page = hand.page
    page.get_by_role("button", name="New request").wait_for(timeout=APPEAR_MS)
    walking.settle(page)
    hand.press("N")
    hand.wait(page.get_by_label("What is it about?"), "the form")
    _focused(page, "What is it about?")
    hand.think("what it is about")
    hand.type(words)
    hand.wait(page.get_by_role("option").first, "the kinds")
    hand.press("Enter", "the first kind of request")
    hand.wait(page.get_by_text(first_question), "the questions")
    walking.settle(page)


def _submit(hand: Hand, heading: str, expect: str = "") -> None:
    page = hand.page
    walking.settle(page)
    hand.press("Control+Enter")
    hand.wait(page.get_by_role("heading", name=heading or expect), "the receipt")


def _focused(page: Page, label: str) -> None:
    """The page puts the keyboard there by itself."""
    page.wait_for_function(
        "label => document.activeElement?.getAttribute('aria-label') === label"
        " || document.activeElement?.labels?.[0]?.innerText === label",
        arg=label,
        timeout=APPEAR_MS,
    )


def _day_shown(page: Page) -> int:
    """The earliest day work can be done is in the field already; typing it anew costs what any other day costs."""
    return int(page.get_by_role("spinbutton", name="day, Start on").inner_text())


# --- preparing and printing -------------------------------------------------------------------------------------------

CUSTOMER = 1
"""Marcus Ellison's account in every demo city."""


def known_caller(page: Page, url: str) -> None:
    """A call from Marcus Ellison whose identity is checked: not part of any count."""
    page.goto(f"{url}/call_desk")
    page.get_by_test_id("stSidebar").wait_for()
    walking.settle(page)
    if page.get_by_role("button", name="Take a call").count():
        walking.take_call(page)
    walking.find(page, "marcus ellison")
    page.keyboard.press("Alt+1")
    page.get_by_role("heading", name="Marcus Ellison").wait_for()
    walking.settle(page)
    identity = page.get_by_role("button", name="ID 0 of")
    if identity.count():
        identity.click()
        page.get_by_role("radio", name="Call back").click()
        walking.settle(page)
        page.get_by_role("button", name="Answered at").click()
        page.get_by_role("button", name="ID 2 of 2").wait_for()
        page.keyboard.press("Escape")


def free_premise(url: str) -> tuple[int, str]:
    """A house with electric, water, sewer and gas that is not the customer's: its id and enough of its address."""
    database = core.Database(url)
    try:
        with database.reading() as session:
            row = session.execute(
                sa.text(
                    "SELECT premise.id, premise.house_number, premise.street FROM premise WHERE kind = 'house' AND id > 40 "
                    "AND (SELECT count(DISTINCT service_kind) FROM service_point WHERE premise_id = premise.id "
                    "AND service_kind IN ('electric', 'water', 'sewer', 'gas')) = 4 ORDER BY id LIMIT 1"
                )
            ).one()
    finally:
        database.dispose()
    return row[0], f"{row[1]} {row[2].split()[0]}"


def run(folder: Path, url: str) -> None:
    """Does the five tasks on a portal of its own over this database, and prints the table."""
    tools._use_one_node()
    tasks: list[tuple[str, float, Callable[[Hand], None], str]] = [
        ("Find a customer", 4.6, find_customer, "help"),
        ("Complaint: garbage missed", 9.9, complaint, f"customer?account={CUSTOMER}"),
        ("Start services at a new address", 24.7, start_services(free_premise(url)), f"customer?account={CUSTOMER}"),
        ("Citizen action order: pothole", 10.1, action_order, f"customer?account={CUSTOMER}"),
        ("Leak credit, 20 letters of reason", 14.4, adjustment, f"customer?account={CUSTOMER}"),
    ]
    done: list[tuple[str, float, Hand]] = []
    with running.portal(folder, url) as served, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=tools.chromium(), args=["--no-sandbox"])
        try:
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            running.sign_in(context, served, REPRESENTATIVE)
            page = context.new_page()
            page.set_default_timeout(APPEAR_MS)
            known_caller(page, served.url)
            for name, budget, task, address in tasks:
                page.goto(f"{served.url}/{address}")
                page.get_by_test_id("stSidebar").wait_for()
                walking.settle(page)
                hand = Hand(page)
                try:
                    task(hand)
                except PlaywrightError as problem:
                    raise RuntimeError(f"{name}: {problem.message}\n{walking.main_text(page)}") from problem
                done.append((name, budget, hand))
        finally:
            browser.close()
    print("\n### Seconds of a representative\n")
    print(
        "| Task | Counted | Keys, hand and head | + waiting for the page | Budget | Within | Most is spent on | Waits |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, budget, hand in done:
        counted = " ".join(f"{times}{letter}" for letter, times in sorted(hand.counts.items()) if times)
        heaviest = sorted(hand.spent_on.items(), key=lambda item: -item[1])[:4]
        most = "; ".join(f"{why} {seconds:.1f}" for why, seconds in heaviest)
        waits = "; ".join(f"{name} {seconds:.2f}" for name, seconds in hand.waits.items())
        total = hand.seconds + hand.waited
        print(
            f"| {name} | {counted} | {hand.seconds:.1f} s | {total:.1f} s | {budget} s "
            f"| {'yes' if total <= budget else '**no**'} | {most} | {waits} |"
        )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        run(Path(scratch), sys.argv[1])
