"""Pure billing rules: tariffs, bills, deposits and cycle dates. No database, no clock, no amounts of their own."""
