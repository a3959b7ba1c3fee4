"""Earlier versions of strongroom, as wheels, and what they do alongside this one."""
