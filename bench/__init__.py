"""Speed, side by side: the floor, strongroom, and a vault as one makes it at home. Run ``python -m bench --help``."""
