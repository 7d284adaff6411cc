"""Public opinion: what residents think of the city's services. Surveys with their waves, and apart from them what callers say.

Duties: bring survey files in, say how many are satisfied and how sure that is, whether a change is more than chance, what people
wrote, and how each survey was made.
"""
