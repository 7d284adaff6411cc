"""Customer: everything about one account, person or address on one screen, and what can be done for them."""

import streamlit as st

from portal.accounts import views
from portal.billing import views as billing
from portal.desk import accounts_parts as parts
from portal.desk import go, once, still, who
from portal.metering import views as metering
from portal.waste import views as waste


def draw() -> None:
    """The summary of whom the address of the page names, or the form it asks for."""
    actor = who.actor()
    account, person, premise = go.param_int("account"), go.param_int("person"), go.param_int("premise")
    doing = go.param("do")
    if doing == "add" and actor.may("customer.edit"):
        parts.person_form(None)
        return
    customer = None
    if account is not None:
        customer = views.summary(account, actor)
    elif person is not None:
        customer = views.for_person(person, actor)
    elif premise is not None:
        customer = views.for_premise(premise, actor)
    if customer is None:
        nobody()
        return
    if doing == "bills" and customer.account_id is not None:
        parts.bills(customer, billing.money(customer.account_id))
    elif doing == "edit" and actor.may("customer.edit") and customer.person_id is not None:
        parts.person_form(customer)
    elif doing == "authorise" and actor.may("customer.edit") and customer.account_id is not None:
        parts.authorised_form(customer)
    elif doing == "flag" and actor.may("customer.edit"):
        parts.flag_form(customer)
    else:
        show(customer)


def show(customer: views.Summary) -> None:
    """The summary itself."""
    with once.look():
        customer = billing.with_adjustments(customer)
        money = billing.money(customer.account_id) if customer.account_id is not None else billing.Money()
        if customer.account_id is not None:
            use = metering.use(customer.account_id)
        elif customer.premise_id is not None:
            use = metering.use_at(customer.premise_id)
        else:
            use = metering.Use()
        code = customer.collection_code
        collections = waste.next_collections(code) if code else waste.NextCollections()
    head, acts = st.columns([1.15, 1], vertical_alignment="center")
    with head:
        parts.header(customer)
    with acts:
        actions(customer)
    parts.alerts(customer, collections.note and f"Collection: {collections.note[:1].lower()}{collections.note[1:-1]}")
    if customer.account_id is not None:
        parts.key_figures(money, collections, customer.today)
    left, right = st.columns([1.95, 1], gap="medium")
    with left:
        parts.services(customer, use, money, collections)
        parts.orders(customer)
        parts.account_rows("Other accounts" if customer.account_id else "Accounts", customer.accounts)
        parts.account_rows("May act for", customer.acts_for)
        parts.timeline(customer)
    with right:
        if customer.account_id is not None:
            parts.use_card(use)
        still.draw(
            *((parts.dates(money, customer.today),) if customer.account_id is not None else ()),
            parts.collection_card(collections, customer),
            parts.account_card(customer, money),
        )


def actions(customer: views.Summary) -> None:
    """What can be done for this customer; the letters work outside of fields."""
    actor = who.actor()
    where = {"account": customer.account_id}
    if customer.account_id is None:
        where = {"person": customer.person_id, "premise": customer.premise_id}
    with st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if actor.may("request.open") and st.button(
            "New request", type="primary", icon=":material/add:", shortcut="N", key="act.request"
        ):
            go.to("service_request", **where)
        moving = "stop_service" if customer.account_id is not None and customer.closed_on is None else "start_service"
        name, permission = ("Stop", "move.stop") if moving == "stop_service" else ("Start", "move.start")
        if actor.may(permission) and st.button(f"{name} service", shortcut="S", key="act.move"):
            go.to(moving, **where)
        adjustable = customer.account_id is not None and actor.may("adjustment.make")
        if adjustable and st.button("Adjust bill", shortcut="B", key="act.adjust"):
            go.to("adjust_bill", **where)
        if (
            actor.may("customer.edit")
            and customer.person_id is not None
            and st.button("Edit", shortcut="E", key="act.edit")
        ):
            go.to("customer", do="edit", **where)
        more = parts.more_ways(customer, where)
        chosen = st.menu_button("More", list(more), key="act.more") if more else None
        if chosen in more:
            page, query = more[chosen]
            go.to(page, **query)


def nobody() -> None:
    """The address of the page names nobody."""
    st.title("No customer is open")
    st.text("Find the customer by name, phone, address, account, meter or order number.")
    if st.button("Find a customer", type="primary", icon=":material/search:", key="nobody.find"):
        go.to("call_desk")


draw()
