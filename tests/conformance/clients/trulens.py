"""TruLens' decorators in its OpenTelemetry mode."""

from trulens.core import TruSession

session = TruSession(otel_exporter="otlp")
