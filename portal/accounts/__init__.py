"""Accounts: persons and companies, premises, accounts, who may act for whom, flags; finding any of them, and the summary."""
