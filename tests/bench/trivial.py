"""The page that others are measured by: a title, one field, one line, one button; nothing of the portal."""

import streamlit as st

st.title("Trivial")
said = st.text_input("Say something", key="said")
st.text(f"You said {said}")
st.button("Say it again", key="again")
