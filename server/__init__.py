"""Sockets below Tornado: connections while they idle, their hand-off to Tornado, and the express lane for polls.

Refuses to know routes, accounts' rules and tasks.
"""
