"""The engine itself reads what was received; this folder keeps its tables and its limits."""
