"""Service levels: how much comes in, how much of it is closed, how much on time, how long it takes, what waits and since when."""
