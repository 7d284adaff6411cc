"""Requests and orders: CARS requests, citizen action orders, work orders, their clocks, dispatch and follow-up."""
