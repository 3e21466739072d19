"""The words that all stages share."""
