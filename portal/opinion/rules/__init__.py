"""Decisions and arithmetic of surveys: what a file means, how sure a share is, which figures must stay closed, in which words."""
