"""What keeps an incident from being told: silences, maintenance, inhibition, flapping."""
