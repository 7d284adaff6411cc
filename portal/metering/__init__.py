"""Metering: meters and their reads, the usage between two reads, and the sentence that explains it."""
