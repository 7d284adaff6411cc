"""Help: the keyboard, and the words of the house with what they mean."""

import streamlit as st

from portal.desk import who
from portal.desk.text import inert
from portal.directory import views
from portal.shared.text import fold


@who.fragment
def draw() -> None:
    st.title("Help and words")
    left, right = st.columns([1.75, 1], gap="large")
    with right, st.container(border=True):
        st.subheader("Keyboard")
        for keys, does in views.shortcuts():
            with st.container(horizontal=True, horizontal_alignment="distribute", wrap=False):
                st.markdown(f"`{keys}`", width="content")
                st.markdown(inert(does), width="stretch")
    with left:
        typed = st.text_input(
            "Find a word",
            type="search",
            live="200ms",
            key="help.search",
            placeholder="Find a word",
            label_visibility="collapsed",
        )
        wanted = fold(typed or "")
        words = [word for word in views.words() if wanted in fold(f"{word.name} {word.meaning}")]
        with st.container(border=True):
            st.subheader("Words of the desk")
            if not words:
                st.caption("No word fits. Try its beginning.")
            st.markdown("\n\n".join(f"**{inert(word.name)}** :gray[{inert(word.meaning)}]" for word in words))


draw()
