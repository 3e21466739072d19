"""Where each convention keeps its messages: one file for each family, and the order of trust."""
