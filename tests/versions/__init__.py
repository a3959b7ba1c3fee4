"""Earlier versions of strongroom, as wheels, and what they do beside this one."""
