"""What every room uses: actors, refusals, money, numbers, business time, words. The standard library and nothing of any room."""
