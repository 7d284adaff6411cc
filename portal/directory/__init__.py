"""What the desk looks up: departments, policies and how-to articles, emergency scripts and their transfer numbers, the words
of the house.
"""
