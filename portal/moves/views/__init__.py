"""What the start, stop and transfer pages show, and the facts their commands decide by."""
