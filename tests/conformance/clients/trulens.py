"""TruLens' decorators in its OpenTelemetry mode."""

import contextlib

from trulens.apps.app import TruApp
from trulens.core import TruSession
from trulens.core.otel.instrument import instrument
from trulens.otel.semconv.trace import SpanAttributes

session = TruSession(otel_exporter="otlp")


class Guide:
    @instrument(
        span_type=SpanAttributes.SpanType.RETRIEVAL,
        attributes={
            SpanAttributes.RETRIEVAL.QUERY_TEXT: "question",
            SpanAttributes.RETRIEVAL.RETRIEVED_CONTEXTS: "return",
        },
    )
    def search(self, question):
        return ["Paris: sunny"]

    @instrument(
        span_type=SpanAttributes.SpanType.GENERATION,
        attributes=lambda ret, exception, *args, **kwargs: {
            SpanAttributes.COST.MODEL: "gpt-4o-mini",
            SpanAttributes.COST.NUM_PROMPT_TOKENS: 1000,
            SpanAttributes.COST.NUM_COMPLETION_TOKENS: 200,
        },
    )
    def chat(self, question):
        return "Paris is sunny."

    @instrument(span_type=SpanAttributes.SpanType.TOOL)
    def weather(self, city):
        raise ValueError("no such city")

    @instrument()
    def answer(self, question):
        self.search(question)
        said = self.chat(question)
        with contextlib.suppress(ValueError):
            self.weather("Paris")
        return said


guide = Guide()
recorder = TruApp(guide, app_name="guide", app_version="1", main_method=guide.answer)
with recorder:
    guide.answer("Weather in Paris?")
session.force_flush()
