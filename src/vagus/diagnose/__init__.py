"""Diagnosis: from a measure that moved to ranked causes, each with its evidence."""
