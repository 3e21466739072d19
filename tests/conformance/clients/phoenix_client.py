"""Phoenix's REST client: spans written by hand, and annotations about them."""

import datetime
import secrets

from phoenix.client import Client

client = Client()
trace_id, root_id, call_id = secrets.token_hex(16), secrets.token_hex(8), secrets.token_hex(8)
now = datetime.datetime.now(datetime.UTC)
start, end = (now - datetime.timedelta(seconds=2)).isoformat(), now.isoformat()
client.spans.log_spans(
    project_identifier="guide",
    spans=[
        {
            "name": "answer",
            "context": {"trace_id": trace_id, "span_id": root_id},
            "span_kind": "CHAIN",
            "start_time": start,
            "end_time": end,
            "status_code": "OK",
            "attributes": {
                "input.value": "Weather in Paris?",
                "output.value": "Paris is sunny.",
                "session.id": "s1",
                "user.id": "u1",
            },
        },
        {
            "name": "chat",
            "context": {"trace_id": trace_id, "span_id": call_id},
            "parent_id": root_id,
            "span_kind": "LLM",
            "start_time": start,
            "end_time": end,
            "status_code": "OK",
            "attributes": {
                "llm.provider": "openai",
                "llm.model_name": "gpt-4o-mini",
                "llm.input_messages.0.message.role": "user",
                "llm.input_messages.0.message.content": "Weather in Paris?",
                "llm.output_messages.0.message.role": "assistant",
                "llm.output_messages.0.message.content": "Paris is sunny.",
                "llm.token_count.prompt": 1000,
                "llm.token_count.completion": 200,
                "llm.token_count.prompt_details.cache_read": 400,
            },
        },
    ],
)
client.spans.add_span_annotation(
    span_id=call_id,
    annotation_name="tone",
    annotator_kind="HUMAN",
    label="polite",
    score=0.5,
    explanation="nice",
    sync=True,
)
client.traces.add_trace_annotation(
    trace_id=trace_id,
    annotation_name="helpful",
    annotator_kind="LLM",
    label="yes",
    score=1.0,
    sync=True,
)
