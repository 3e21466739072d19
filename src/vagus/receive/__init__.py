"""OTLP comes in: checked, bounded, written to a log that survives, and only then acknowledged."""
