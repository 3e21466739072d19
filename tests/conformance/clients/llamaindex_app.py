"""A LlamaIndex query engine; the instrumentation to use is named by the environment."""

import importlib
import os

from llama_index.core import VectorStoreIndex
from llama_index.core.schema import TextNode
from llama_index.embeddings.openai import OpenAIEmbedding
from llama_index.llms.openai import OpenAI
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
trace.set_tracer_provider(provider)
module, _, name = os.environ["INSTRUMENTOR"].partition(":")
getattr(importlib.import_module(module), name)().instrument(tracer_provider=provider)

nodes = [TextNode(text="Paris: sunny", id_="d1", metadata={"source": "d1"})]
index = VectorStoreIndex(nodes, embed_model=OpenAIEmbedding(model="text-embedding-3-small"))
model = OpenAI(model="gpt-4o-mini", temperature=0, max_retries=0)
with provider.get_tracer("assistant").start_as_current_span("answer"):
    index.as_query_engine(llm=model, similarity_top_k=1).query("Weather in Paris?")
provider.shutdown()
