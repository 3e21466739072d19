"""A bench for diagnosis: simulated applications, forty ways to break them, and what was found."""
