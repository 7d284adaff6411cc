"""Pure decisions about requests and orders, by topic; the clock is in `clock`."""
