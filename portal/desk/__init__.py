"""The desk: the only place besides the pages that draws, and the front door with its sign-in."""
