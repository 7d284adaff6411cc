"""The citizen services portal: what the desk does, room by room, without the screens (`pages`) and without the tables (`db`)."""
