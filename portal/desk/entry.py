"""What the server runs for each run of a page. Streamlit executes this file anew each time, so it holds only the way in."""

from portal.desk import app

if __name__ == "__main__":
    app.main()
