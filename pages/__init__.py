"""One screen, one file: read a view model, draw it, call one command. The menu is in portal/desk/app.py."""
