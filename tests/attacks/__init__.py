"""Attacks on the promises: processes and servers killed, connections cut, disks full, texts tampered with.

Each attack counts what it did and what became of it; one table stands at the end of every run. ``make test`` runs
each in a small form, ``make attack`` what can be larger at more length, ``make soak`` for an hour. The last five
columns of the table must be 0.
"""
