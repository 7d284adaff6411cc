"""Waste: carts and containers at service points, the codes of their orders, and the days they are collected."""
