"""Billing: what the customer owes and why. Tariffs, bills, ledger, adjustments, deposits, cycle dates, duplicate bills."""
