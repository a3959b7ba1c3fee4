"""Solana: ``family.py`` derives and shows keys, ``signing.py`` signs."""
