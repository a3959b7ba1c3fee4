"""Ethereum and the chains that run its virtual machine: ``family.py`` derives and shows keys, ``signing.py`` signs."""
