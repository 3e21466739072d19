"""What the attributes of every convention mean, as data."""
