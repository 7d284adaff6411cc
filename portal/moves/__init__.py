"""Moves: start, stop and transfer of service: who takes a point over from whom, on which reading, with what evidence."""
