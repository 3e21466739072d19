"""Converse of Amazon Bedrock; the instrumentation to use is named by the environment."""

import contextlib
import importlib
import os

import boto3
from botocore.exceptions import ClientError
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
module, _, name = os.environ["INSTRUMENTOR"].partition(":")
getattr(importlib.import_module(module), name)().instrument(tracer_provider=provider)

client = boto3.client("bedrock-runtime", region_name="us-east-1")
ASKED = {
    "system": [{"text": "Be brief."}],
    "messages": [{"role": "user", "content": [{"text": "Weather in Paris?"}]}],
    "inferenceConfig": {"maxTokens": 300, "temperature": 0},
}
with provider.get_tracer("assistant").start_as_current_span("answer"):
    for model in os.environ["MODELS"].split(","):
        with contextlib.suppress(ClientError):
            client.converse(modelId=model, **ASKED)
provider.shutdown()
