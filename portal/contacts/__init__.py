"""Conversations with citizens by phone, letter, e-mail and counter: taking one, checking who is speaking, promises and
call-backs, emergencies, and the wrap-up with its reason, its outcome and the opinions heard.
"""
