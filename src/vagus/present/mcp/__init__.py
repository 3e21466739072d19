"""The Model Context Protocol: what a coding agent may ask, read-only and bounded."""
