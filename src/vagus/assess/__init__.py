"""What it cost and how good it was."""
