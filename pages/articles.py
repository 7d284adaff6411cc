"""Policies and how-to: type a word, read the answer out, note it as the outcome of the call."""

import streamlit as st

from portal.contacts import commands
from portal.desk import articles_parts, call, contacts_parts, go, who
from portal.desk.text import inert
from portal.directory import views
from portal.shared.text import count_text, day_text


def _answered(conversation_id: int, code: str) -> None:
    receipt = contacts_parts.carry_out(
        "articles",
        ("answered", conversation_id, code),
        lambda key: commands.answer_from_article(who.actor(), conversation_id, code, key=key),
    )
    st.session_state["articles.answered"] = receipt is not None


def _open(article: views.Article) -> None:
    with st.container(border=True, gap="small"):
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            st.subheader(inert(article.title), width="content")
            st.badge(inert(article.topic), color="gray")
        articles_parts.body(article.body)
        since = f" · in force since {day_text(article.effective_from, views.today())}" if article.dated else ""
        st.caption(inert(article.citation + since))
        here = call.context() if who.actor().may("conversation.work") else None
        if here is None:
            return
        st.button(
            "Answered with this",
            type="primary",
            icon=":material/task_alt:",
            shortcut="Ctrl+Enter",
            key=f"articles.answered.{article.code}",
            on_click=_answered,
            args=(here.id, article.code),
        )


@who.fragment
def draw() -> None:
    if st.session_state.pop("articles.answered", False):
        st.session_state.pop("articles.said", None)
        go.to("wrap_up")
    st.title("Policies and how-to")
    contacts_parts.said("articles")
    left, right = st.columns([1, 1.35], gap="large")
    with left:
        typed = st.text_input(
            "Search",
            type="search",
            live="200ms",
            key="articles.search",
            placeholder="A word of the caller: couch, late, oxygen, red week",
            label_visibility="collapsed",
            icon=":material/search:",
        )
        found = views.search(typed or "")
        chosen = go.param("code")
        codes = [article.code for article in found]
        if found and chosen not in codes and (typed or not chosen):
            chosen = codes[0]
        st.caption(f"{count_text(len(found), 'answer')} · Alt+number opens" if found else "Nothing found.")
        if not found:
            with st.container(border=True):
                st.markdown("**No article has these words**")
                st.caption(
                    "Try the caller's own word, one word alone, or the beginning of it. No answer here? Open a request."
                )
        # A long list scrolls by itself, so that on a phone the answer stands right below it.
        with st.container(border=bool(found), gap=None, height=440 if len(found) > 8 else "content"):
            for position, article in enumerate(found, 1):
                articles_parts.row(article, position, open_now=article.code == chosen)
    with right:
        article = next((each for each in found if each.code == chosen), None) or (
            views.article(chosen) if chosen else None
        )
        if article is not None:
            _open(article)


draw()
