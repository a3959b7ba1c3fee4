"""Bitcoin and its testnets: ``family.py`` derives and shows keys, ``signing.py`` signs.

Everything that reads a payload is our own and pure Python, so that no bytes of a stranger reach a C parser; the curve
is wallycore's (libsecp256k1).
"""
