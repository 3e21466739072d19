"""The SDK: tracing helpers over OpenTelemetry, with nothing of the server in it."""
