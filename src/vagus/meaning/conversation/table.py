"""Which source is believed first: the messages that went in, and those that came out."""

from __future__ import annotations

from vagus.meaning.conversation import (
    openinference,
    openllmetry,
    otel,
    plain,
    pydantic_ai,
    tool_span,
)
from vagus.meaning.conversation.source import Table, answer, keys, talk, transcript

_run_asked, _run_answered = transcript("pydantic_ai.all_messages", "mlflow.chat.messages")

INPUT = Table(
    keys("user", "gen_ai.input.messages"),
    otel.details("gen_ai.input.messages", "user"),
    otel.ASKED_EVENTS,
    otel.content("gen_ai.content.prompt", "gen_ai.prompt", "user"),
    openinference.messages("llm.input_messages", "user"),
    openllmetry.messages("gen_ai.prompt", "user"),
    tool_span.ASKED,
    keys("user", "gen_ai.prompt", "ai.prompt.messages", "ai.prompt"),
    keys("user", "langfuse.observation.input", "gcp.vertex.agent.llm_request", "lk.chat_ctx"),
    talk("user", "request_data"),
    pydantic_ai.ASKED,
    pydantic_ai.RUN_ASKED,
    _run_asked,
    keys("user", "mlflow.spanInputs", "genkit:input", "lmnr.span.input"),
    openinference.completions("llm.prompts", "prompt", "user"),
    openinference.EMBEDDED,
    keys("user", "ai.values", "ai.value", "request_data"),
    keys(
        "user",
        "gen_ai.retrieval.query.text",
        "gen_ai.memory.query.text",
        "reranker.query",
        "ai.observability.retrieval.query_text",
        "ai.observability.reranking.query_text",
    ),
    plain.value("input", "user"),
    openinference.attached("input", "user"),
    keys(
        "user",
        "traceloop.entity.input",
        "gen_ai.task.input",
        *plain.agentops("input"),
        "ai.observability.record_root.input",
        "lk.user_input",
        "lk.input_text",
        "haystack.component.input",
        "gcp.vertex.agent.data",
        "langfuse.trace.input",
    ),
    plain.ARGUMENTS,
)

OUTPUT = Table(
    keys("assistant", "gen_ai.output.messages"),
    otel.details("gen_ai.output.messages", "assistant"),
    otel.ANSWERED_EVENTS,
    otel.content("gen_ai.content.completion", "gen_ai.completion", "assistant"),
    openinference.messages("llm.output_messages", "assistant"),
    openllmetry.messages("gen_ai.completion", "assistant"),
    tool_span.ANSWERED,
    keys("assistant", "gen_ai.completion"),
    answer(
        text="ai.response.text",
        thought="ai.response.reasoning",
        calls="ai.response.toolCalls",
        value="ai.response.object",
        files="ai.response.files",
        finish="ai.response.finishReason",
    ),
    answer(
        text="ai.result.text",
        calls="ai.result.toolCalls",
        value="ai.result.object",
        finish="ai.finishReason",
    ),
    keys("assistant", "langfuse.observation.output", "gcp.vertex.agent.llm_response"),
    answer(text="lk.response.text", calls="lk.response.function_calls"),
    pydantic_ai.ANSWERED,
    pydantic_ai.RUN_ANSWERED,
    _run_answered,
    keys(
        "assistant",
        "response_data",
        "final_result",
        "mlflow.spanOutputs",
        "genkit:output",
        "lmnr.span.output",
    ),
    openinference.completions("llm.choices", "completion", "assistant"),
    plain.value("output", "assistant"),
    openinference.attached("output", "assistant"),
    keys(
        "assistant",
        "traceloop.entity.output",
        "gen_ai.task.output",
        *plain.agentops("output"),
        "ai.observability.record_root.output",
        "ai.observability.call.return",
        "lk.user_transcript",
        "haystack.component.output",
        "langfuse.trace.output",
        "return",
    ),
)

# Vercel keeps the instructions of a call apart only where its prompt is not a list of messages,
# LiveKit always.
SYSTEM = Table(keys("system", "gen_ai.system_instructions", "lk.instructions"))
