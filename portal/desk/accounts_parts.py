"""What the pages of customers share: matches of the find box, the cards of the summary, the forms that change a record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from portal.accounts import commands, rules, views
from portal.accounts.rules import AuthorisedForm, FlagForm, PersonForm
from portal.billing import views as billing
from portal.contacts import views as contact_views
from portal.desk import attempt, call, contacts_parts, focus, go, still, who
from portal.desk.text import inert, moment, today
from portal.directory import views as directory
from portal.metering import views as metering
from portal.shared.money import format_cents
from portal.shared.refusal import Refused
from portal.shared.text import count_text, day_text, format_phone
from portal.waste import views as waste

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from portal.accounts.views import Badge, Match, Summary
    from portal.billing.views import Money

# --- the find box -------------------------------------------------------------------------------------------------------

FIND_HINT = "Name, phone, address with unit, account, meter, order or old number, e-mail"


def find_box(key: str, *, label: str = "Find a customer", most: int = 9) -> views.FindResult:
    """The one box, answering while somebody types."""
    typed = st.text_input(
        label,
        key=key,
        type="search",
        live="200ms",
        placeholder=FIND_HINT,
        icon=":material/search:",
        label_visibility="collapsed",
    )
    return views.find(typed or "", who.actor(), most)


def match_rows(
    found: views.FindResult, choose: Callable[[Match], None], *, label: str = "Open", key: str = "open"
) -> None:
    """The matches, best first; Enter in the box chooses the first, Alt+1 to Alt+9 any of them, also while somebody types."""
    focus.found(found.text, f"{key}-1")
    with st.container(border=True, gap=None):
        for position, match in enumerate(found.matches, 1):
            with st.container(horizontal=True, wrap=False, vertical_alignment="center", key=f"row-{key}-{position}"):
                marks = [still.badge(mark.text, mark.color, mark.icon) for mark in match.badges]
                still.draw(still.entry(match.title, match.second, note=match.note, marks=marks, strong=True))
                shortcut = f"Alt+{position}" if position < 10 else None
                kind = "primary" if position == 1 else "tertiary"
                if st.button(label, key=f"{key}-{position}", type=kind, shortcut=shortcut):
                    choose(match)


def places(found: views.FindResult) -> None:
    """What can be done at an address that was looked for, vacant or not: a start, for the caller or for somebody new."""
    actor = who.actor()
    here = call.context()
    for place in found.places:
        # Whoever the call is about may want service at another address; at their own they have it.
        known = here is not None and here.person_id is not None and here.premise_id != place.premise_id
        caller = here if known else None
        customer = {} if caller is None else {"account": caller.account_id, "person": caller.person_id}
        with st.container(
            border=True, horizontal=True, vertical_alignment="center", key=f"place-{place.premise_id}", gap="small"
        ):
            with st.container(gap=None, width="stretch"):
                st.markdown(f":material/home_pin: **{inert(place.address)}**")
                now = (
                    "Occupied: a start takes over on one reading"
                    if place.occupied
                    else "Nobody has service in their name"
                )
                whom = "somebody new" if caller is None else caller.name
                st.caption(f"{now} · for {inert(whom)}")
            if actor.may("move.start") and st.button(
                "Start service here", icon=":material/power:", key=f"place.start.{place.premise_id}"
            ):
                go.to("start_service", premise=place.premise_id, **customer)
            if actor.may("request.open") and st.button(
                "New request here", icon=":material/add_task:", key=f"place.request.{place.premise_id}", type="tertiary"
            ):
                go.to("service_request", premise=place.premise_id)


def badges(found: Sequence[Badge]) -> str:
    return " ".join(
        f":{badge.color}-badge[{f':material/{badge.icon}: ' if badge.icon else ''}{inert(badge.text)}]"
        for badge in found
    )


def open_match(match: Match) -> None:
    """Opens what was found; during a call, the call becomes about this customer."""
    if match.page != "customer":
        go.to(match.page, **dict(match.query))
    account_id = match.account_id
    try:
        call.open_customer(
            account_id,
            person_id=match.person_id if account_id is None else None,
            premise_id=match.premise_id if account_id is None and match.person_id is None else None,
        )
    except Refused as refused:
        st.error(
            f"**{inert(refused.title)}.** {inert(' '.join(each.message for each in refused.problems))}",
            icon=":material/block:",
        )


def nothing_found(found: views.FindResult) -> None:
    """What to say when nothing fits: what was looked through, what to ask, three ways on."""
    actor = who.actor()
    with st.container(border=True):
        st.subheader(f"Nothing fits “{inert(found.text[:60])}”")
        st.text(
            "Names, addresses, phones, accounts, meters, orders, old numbers and e-mail addresses were looked through, "
            "with near spellings. Ask for the house number and street, or for a phone number on an old bill."
        )
        with st.container(horizontal=True):
            if actor.may("move.start") and st.button("Start service", icon=":material/power:", key="way.start"):
                go.to("start_service")
            if actor.may("customer.edit") and st.button("Add a person", icon=":material/person_add:", key="way.add"):
                go.to("customer", do="add")
            if actor.may("request.open") and st.button(
                "Request without a customer", icon=":material/add_task:", key="way.request"
            ):
                go.to("service_request")


# --- the summary ---------------------------------------------------------------------------------------------------------


def header(customer: Summary) -> None:
    """Who and where, what was checked, and what to see before acting."""
    here = call.context()
    marks = []
    if here is not None and here.person_id == customer.person_id and here.strength and here.checked_at is not None:
        marks.append(still.badge(f"Identity checked {moment(here.checked_at)}", "green", "verified_user"))
    if customer.kind:
        marks.append(still.badge(customer.kind.capitalize()))
    if customer.closed_on is not None:
        marks.append(still.badge(f"Closed {day_text(customer.closed_on, customer.today)}"))
    place = (customer.place, customer.premise_number, customer.premise_words)
    line = customer.second_line if customer.person_id else " · ".join(part for part in place if part)
    still.draw(still.title(customer.title, *marks), still.line(line, gray=True))


def alerts(customer: Summary, slide: str = "") -> None:
    """The gravest things as badges with whole sentences, at most four."""
    if customer.person_id is not None and who.actor().may("identity.check"):
        contacts_parts.lock_line(customer.person_id, contact_views.locked_until(customer.person_id), "customer")
    shown = [still.badge(alert.text, alert.color, alert.icon) for alert in customer.alerts[:4]]
    if slide and len(shown) < 4:
        shown.append(still.badge(slide, "gray", "event"))
    still.draw(still.row(*shown))


def _color(name: str) -> Any:
    return name if name in ("red", "orange", "blue", "green", "gray") else "gray"


def key_figures(money: Money, collections: waste.NextCollections, today_on: dt.date) -> None:
    """Balance, what is past due, the next collection, the last bill."""
    if collections.lines:
        what, on = collections.lines[0]
        coming = ("Next collection", day_text(on, today_on), what)
    else:
        next_on = "—" if money.next_bill_on is None else day_text(money.next_bill_on, today_on)
        coming = ("Next bill", next_on, "by the cycle" if money.cycle else "no cycle")
    last = money.last_bill
    still.draw(
        still.card(
            still.figures(
                (
                    (
                        "Balance",
                        format_cents(money.balance_cents),
                        f"{format_cents(money.not_yet_due_cents)} not yet due"
                        if money.not_yet_due_cents
                        else "nothing open",
                    ),
                    (
                        "Past due",
                        format_cents(money.past_due_cents),
                        count_text(money.past_due_days, "day") if money.past_due_cents else "never late now",
                    ),
                    coming,
                    (
                        "Last bill",
                        "—" if last is None else format_cents(last.total_cents),
                        change_words(money.change, money.compared_with)
                        or ("no bill yet" if last is None else f"due {day_text(last.due_on, today_on)}"),
                    ),
                )
            )
        )
    )


def change_words(change: float | None, compared_with: str) -> str:
    """“12% above last November”."""
    if change is None or not compared_with:
        return ""
    percent = round(abs(change) * 100)
    return (
        f"about the same as {compared_with}"
        if percent == 0
        else f"{percent}% {'above' if change > 0 else 'below'} {compared_with}"
    )


def services(customer: Summary, use: metering.Use, money: Money, collections: waste.NextCollections) -> None:
    """What the customer has, with meter, reading and last use."""
    if not customer.services:
        return
    next_read = "" if money.next_read_on is None else f"next read {day_text(money.next_read_on, customer.today)}"
    shown = list(customer.services)
    with_meter = {line.service_kind for line in shown}
    lines = []
    for line in shown:
        # Sewer is measured by the water meter: one line, as on the bill.
        if line.service_kind == "sewer" and "water" in with_meter:
            continue
        name = "Water and sewer" if line.service_kind == "water" and "sewer" in with_meter else line.name
        meter = use.of(line.service_kind, line.premise_id)
        state = "" if line.state_code in ("active", "") else f" ({line.words})"
        cart = f"{line.code} × {line.count}" if line.code and line.count > 1 else line.code
        collected = line.service_kind in ("refuse", "recycling", "trash")
        reading = collections.usual if collected else ""
        last = f"route {customer.route_code}" if collected and customer.route_code else ""
        if meter is not None and meter.last_read is not None and meter.read_on is not None:
            estimated = ", estimated" if meter.how == "estimated" else ""
            reading = f"{meter.last_read:,} on {meter.read_on:%b} {meter.read_on.day}{estimated}"
        if meter is not None and meter.last_use is not None:
            last = f"{meter.last_use:,f} {meter.unit}"
        lines.append((name + state, meter.number if meter is not None else cart or "—", reading, last))
    still.draw(
        still.card(
            still.head(
                "Services and meters",
                ", ".join(part for part in (f"cycle {money.cycle}" if money.cycle else "", next_read) if part),
            ),
            still.table(
                ("Service", "Meter or cart", "Reading or day", "Last period"),
                lines,
                "The services of this customer with their meters, last readings and last use.",
            ),
        )
    )


def card_head(title: str, right: str = "") -> None:
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        st.subheader(title, width="content")
        if right:
            st.caption(inert(right), width="content")


def orders(customer: Summary) -> None:
    """What is open, the earliest due first, each with the way to it."""
    promised = [still.entry(f"Promised: {words}", number=due) for words, due in customer.promises]
    if not customer.orders:
        nothing = still.line("Nothing is open.", gray=True, small=True)
        still.draw(still.card(still.head("Open orders"), nothing, *promised))
        return
    with st.container(border=True, gap="small"):
        still.draw(still.head("Open orders", len(customer.orders)))
        for line in customer.orders:
            with st.container(
                horizontal=True, wrap=False, vertical_alignment="center", key=f"row-{line.kind}-{line.id}"
            ):
                due = still.badge(line.due, "red" if line.late else "orange" if line.soon else "gray")
                still.draw(still.entry(line.name, line.second, number=line.number, right=due))
                if st.button("Open", key=f"order-{line.kind}-{line.id}", type="tertiary"):
                    go.to(line.page, id=line.id)
        still.draw(*promised)


def account_rows(title: str, lines: Sequence[views.AccountLine]) -> None:
    """Other accounts, each with the way to it."""
    if not lines:
        return
    with st.container(border=True, gap="small"):
        card_head(title, str(len(lines)))
        for line in lines:
            with st.container(
                horizontal=True, wrap=False, vertical_alignment="center", key=f"row-account-{line.account_id}"
            ):
                marks = []
                if line.past_due_cents > 0:
                    marks.append(still.badge(f"Past due {format_cents(line.past_due_cents)}", "orange"))
                if line.closed:
                    marks.append(still.badge("Closed"))
                still.draw(still.entry(line.title, line.second, marks=marks))
                if st.button("Open", key=f"account-{line.account_id}", type="tertiary"):
                    call.open_customer(line.account_id)


@who.fragment
def timeline(customer: Summary) -> None:
    """Everything that happened, newest first, more on asking."""
    shown = f"timeline.{customer.account_id}.{customer.person_id}.{customer.premise_id}"
    most = st.session_state.setdefault(shown, 10)
    found = billing.timeline(
        account_id=customer.account_id, person_id=customer.person_id, premise_id=customer.premise_id, most=most
    )
    head = still.head("Timeline", "all channels")
    if not found.items:
        still.draw(still.card(head, still.line("Nothing has happened here yet.", gray=True, small=True)))
        return
    told = still.steps(
        (
            item.icon,
            f"{day_text(item.at.date(), customer.today) if item.whole_day else moment(item.at)}, {item.what[:1].lower() + item.what[1:]}",
            item.text or "No note.",
        )
        for item in found.items
    )
    if not found.more:
        still.draw(still.card(head, told))
        return
    with st.container(border=True):
        still.draw(head, told)
        st.button(
            "Show earlier",
            key=f"{shown}.more",
            type="tertiary",
            icon=":material/expand_more:",
            on_click=lambda: st.session_state.update({shown: most + 20}),
        )


@who.fragment
def use_card(use: metering.Use) -> None:
    """Thirteen months of one service: the figure, a bar for each month, and the sentence."""
    main = use.main
    if main is None:
        return
    with_months = {meter.meter_id: meter for meter in use.meters if meter.months}
    with st.container(border=True):
        if len(with_months) > 1:
            chosen = st.segmented_control(
                "Use of", list(with_months), default=main.meter_id, required=True, key="use.meter", label_visibility="collapsed",
                format_func=lambda one: with_months[one].service_kind.capitalize(),
            )  # fmt: skip
            main = with_months.get(chosen or main.meter_id, main)
        unit, months = main.unit, main.months

        def used(month: metering.Month) -> str:
            return f"{month.quantity:,f} {unit}{' (estimated)' if month.estimated else ''}"

        still.draw(
            still.figures(
                (
                    (
                        f"{main.service_kind.capitalize()} use, last {count_text(len(months), 'period')}",
                        f"{months[-1].quantity:,f} {unit}",
                        change_words(main.change, main.compared_with),
                    ),
                )
            ),
            still.bars([(f"{month.label}: {used(month)}", float(month.quantity)) for month in months], main.sentence),
            still.line(main.sentence),
            still.more(
                "Month by month",
                still.table(
                    ("Read on", "Use"),
                    [(day_text(month.to_on, today()), used(month)) for month in reversed(months)],
                    "Use of each period, the latest first.",
                ),
            ),
        )


def facts(title: str, lines: Sequence[tuple[str, str]], *, right: str = "", below: str = "") -> still.Piece:
    """A card of label and value pairs; pairs without a value are left out."""
    if not any(value for _, value in lines):
        return still.card()
    note = (still.line(below, gray=True, small=True),) if below else ()
    return still.card(still.head(title, right), still.pairs(lines), *note)


def dates(money: Money, on: dt.date) -> still.Piece:
    """Next read, bill and due day, and the earliest cut and collection when something is owed."""

    def day(value: dt.date | None) -> str:
        if value is None:
            return ""
        return day_text(value, on) if value >= on else f"possible since {day_text(value, on)}"

    return facts(
        "Dates",
        [
            ("Next read", day(money.next_read_on)),
            ("Next bill", day(money.next_bill_on)),
            ("Due", day(money.next_due_on)),
            ("Cut scheduled" if money.cutoff_scheduled else "Earliest cut-off", day(money.cutoff_on)),
            ("Earliest to collections", day(money.collections_on)),
        ],
        right=f"cycle {money.cycle}" if money.cycle else "",
    )


def collection_card(collections: waste.NextCollections, customer: Summary) -> still.Piece:
    return facts(
        "Next collection",
        [*((what, day_text(on, customer.today)) for what, on in collections.lines), ("Usual day", collections.usual)],
        right=f"Route {customer.route_code}" if customer.route_code else "",
        below=collections.note,
    )


def account_card(customer: Summary, money: Money) -> still.Piece:
    """What is left to know: how bills go out and are paid, who may act, old numbers."""
    people = [(person.name, f"{person.relation}, may {person.powers}") for person in customer.people]
    card = facts(
        "Account" if customer.account_id else "On record",
        [
            ("Deposit held", format_cents(money.deposit_cents) if money.deposit_cents else ""),
            ("Pays", money.pays_by),
            ("Bills go to", customer.bills_go_to),
            ("Mailing address", customer.mailing_address),
            ("E-mail", customer.email),
            ("Other phone", format_phone(customer.other_phone)),
            ("Interpreter", customer.language),
            *people,
            *customer.old_numbers,
        ],
    )
    hints = [still.line(f"{flag.name}: {flag.hint}", gray=True, small=True) for flag in customer.flags if flag.hint]
    return still.together(card, *hints)


def more_ways(customer: Summary, where: dict[str, int | None]) -> dict[str, tuple[str, dict[str, object]]]:
    """What else can be done, by its name in the menu."""
    actor, ways = who.actor(), {}
    if customer.account_id is not None:
        ways["Bills"] = ("customer", {"do": "bills", **where})
        ways["Account history"] = ("account_ledger", dict(where))
    if actor.may("move.start") and customer.account_id is not None:
        ways["Start more services"] = ("start_service", dict(where))
        ways["Transfer to another address"] = ("transfer_service", dict(where))
    if actor.may("customer.edit") and customer.account_id is not None:
        ways["Who may act"] = ("customer", {"do": "authorise", **where})
    if actor.may("customer.edit"):
        ways["Flag to know"] = ("customer", {"do": "flag", **where})
    if actor.may("customer.merge") and customer.person_id is not None:
        ways["Merge with another record"] = ("merge_persons", {"kept": customer.person_id})
    return ways


# --- forms ----------------------------------------------------------------------------------------------------------------


def back_to(customer: Summary | None, position: str = "back") -> tuple[str, dict[str, Any]]:
    """The way back to a customer, drawn as a button with Esc; answers with it for the receipt."""
    where: dict[str, Any] = {}
    if customer is not None:
        where = (
            {"account": customer.account_id}
            if customer.account_id
            else {"person": customer.person_id}
            if customer.person_id
            else {"premise": customer.premise_id}
        )
    label = inert(customer.title) if customer is not None else "Call desk"
    if st.button(label, icon=":material/arrow_back:", type="tertiary", shortcut="Esc", key=f"customer.{position}"):
        go.to("customer" if customer is not None else "call_desk", **where)
    return ("customer", where) if customer is not None else ("call_desk", {})


@who.fragment
def person_form(customer: Summary | None) -> None:
    """Adds a person, or changes one."""
    editing = customer is not None and customer.person_id is not None
    known = (
        views.person_form(customer.person_id, who.actor())
        if customer is not None and customer.person_id is not None
        else None
    )
    known = known or PersonForm()
    command = commands.update_person if editing else commands.add_person
    title = f"Change {known.name}" if editing else "Add a person"
    form = attempt.begin("customer", command, title=title)
    if form.receipt:
        attempt.show_receipt(
            form.receipt,
            again=None if editing else "Add another",
            back=("customer", {"person": form.receipt.subject_id}) if customer is None else None,
        )
        return
    back_to(customer)
    st.title(inert(title))
    with st.container(border=True, width=640):
        form.pick("kind", "Kind", list(rules.KINDS), known.kind, format_func=lambda code: rules.KINDS[code])
        form.text("name", "Name on the bill", known.name)
        with st.container(horizontal=True):
            form.phone("phone", "Phone", known.phone)
            form.phone("other_phone", "Other phone (optional)", known.other_phone)
        form.email("email", "E-mail (optional)", known.email)
        form.text(
            "mailing_address",
            "Mailing address (optional)",
            known.mailing_address,
            help="Empty: bills go to the address served.",
        )
        form.text(
            "language", "Interpreter (optional)", known.language, placeholder="Spanish, Mandarin, sign language …"
        )
        exempt = known.exempt
        if who.actor().may("exempt.read"):
            form.check("exempt", "Exempt from public records", known.exempt)
        here = call.context()
        contacts_parts.identity_card(
            contact_views.identity_need(("customer.edit",), here, known.person_id),
            account_id=None if customer is None else customer.account_id,
            person_id=known.person_id,
        )
        form.submit(
            "Save",
            lambda v: (
                PersonForm(
                    v["kind"] or "", v["name"] or "", v["phone"] or "", v["other_phone"] or "", v["email"] or "", v["mailing_address"] or "",
                    v["language"] or "", exempt if v["exempt"] is None else bool(v["exempt"]), known.person_id, known.version,
                    None if here is None else here.id,
                ),
            ),
            draft_title=title,
        )  # fmt: skip


@who.fragment
def authorised_form(customer: Summary) -> None:
    """Puts down somebody who may act, and ends who may."""
    form = attempt.begin("customer", commands.add_authorised_person, title="Who may act")
    if form.receipt:
        attempt.show_receipt(form.receipt, again="Somebody else", back=("customer", {"account": customer.account_id}))
        return
    back_to(customer)
    st.title(inert(f"Who may act for {customer.title}"))
    account_id = customer.account_id or 0
    left, right = st.columns([1.75, 1], gap="large")
    with left, st.container(border=True):
        st.subheader("Somebody new")
        person_id = go.param_int("person")
        if person_id is None:
            form.text("name", "Name")
            form.phone("phone", "Phone (optional)")
        form.choice("relation", "Related as", list(rules.RELATIONS), format_func=lambda code: rules.RELATIONS[code])
        form.many("powers", "May", list(rules.POWERS), ("ask",), format_func=lambda code: rules.POWERS[code])
        form.submit(
            "Put down",
            lambda v: (
                AuthorisedForm(
                    account_id,
                    person_id,
                    v["name"] or "",
                    v["phone"] or "",
                    v["relation"] or "",
                    tuple(v["powers"] or ()),
                ),
            ),
            draft_title=f"Who may act for {customer.title}",
        )
    with right, st.container(border=True):
        card_head("May act now", str(len(customer.people)))
        if not customer.people:
            st.caption("Nobody but the customer.")
        for person in customer.people:
            st.markdown(f"**{inert(person.name)}** :gray[{inert(person.relation)}, may {inert(person.powers)}]")
            attempt.act("End", commands.end_authorised_person, person.id, key_parts=("end_authorised", person.id))


@who.fragment
def flag_form(customer: Summary) -> None:
    """Puts something to know on the customer, and takes it away."""
    form = attempt.begin("customer", commands.add_flag, title="Flag")
    back = (
        "customer",
        {"account": customer.account_id}
        if customer.account_id
        else {"person": customer.person_id}
        if customer.person_id
        else {"premise": customer.premise_id},
    )
    if form.receipt:
        attempt.show_receipt(form.receipt, again="Another flag", back=back)
        return
    back_to(customer)
    st.title(inert(f"What to know about {customer.title}"))
    ids = {"account": customer.account_id, "person": customer.person_id, "premise": customer.premise_id}
    kinds = {
        row.code: row for row in directory.choices("flag") if any(ids.get(where) for where in row.detail.get("on", ()))
    }
    left, right = st.columns([1.75, 1], gap="large")
    with left, st.container(border=True):
        code = form.choice("code", "What is it?", list(kinds), format_func=lambda each: kinds[each].name)
        subject_kind = next(
            (where for where in (kinds[code].detail.get("on", ()) if code else ()) if ids.get(where)), ""
        )
        form.text("words", "In a few words (optional)", placeholder="Large dog, side gate")
        form.date("until_on", "Until (optional)")
        form.submit(
            "Add flag",
            lambda v: (
                FlagForm(subject_kind, ids.get(subject_kind) or 0, v["code"] or "", v["words"] or "", v["until_on"]),
            ),
            draft_title=f"Flag on {customer.title}",
        )
    with right, st.container(border=True):
        card_head("Known now", str(len(customer.flags)))
        if not customer.flags:
            st.caption("Nothing yet.")
        for flag in customer.flags:
            st.markdown(f":{_color(flag.color)}-badge[:material/{flag.icon}: {inert(flag.name)}] {inert(flag.words)}")
            attempt.act("Take away", commands.end_flag, flag.id, key_parts=("end_flag", flag.id))


def bills(customer: Summary, money: Money) -> None:
    """The last thirteen bills as a list."""
    back_to(customer)
    st.title(inert(f"Bills of {customer.title}"))
    if not money.bills:
        st.text("No bill was made yet. The first comes after the next read.")
        return
    with st.container(border=True, width=760):
        st.table(
            [
                {
                    "Bill": bill.number, "Billed": day_text(bill.billed_on, customer.today), "Due": day_text(bill.due_on, customer.today),
                    "For": f"{day_text(bill.from_on, customer.today)} to {day_text(bill.to_on, customer.today)}", "Total": inert(format_cents(bill.total_cents)),
                }
                for bill in money.bills
            ],
            border="horizontal", hide_index=True, alt="The last thirteen bills, the latest first.",
        )  # fmt: skip
