"""A LangChain chain whose built-in tracer sends to LangSmith."""

import contextlib

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_core.tracers.langchain import wait_for_all_tracers
from langchain_openai import ChatOpenAI


class Search(BaseRetriever):
    def _get_relevant_documents(self, query: str, *, run_manager: CallbackManagerForRetrieverRun):
        return [Document("Paris: sunny", metadata={"source": "d1", "score": 0.8}, id="d1")]


@tool
def weather(city: str) -> str:
    """Look the weather up."""
    raise ValueError("no such city")


search, model = Search(), ChatOpenAI(model="gpt-4o-mini", temperature=0, max_retries=0)


def run(question, config):
    search.invoke(question, config)
    said = model.bind_tools([weather]).invoke([("system", "Be brief."), ("user", question)], config)
    with contextlib.suppress(ValueError):
        weather.invoke({"city": "Paris"}, config)
    return said.tool_calls[0]["name"]


CONFIG = {"tags": ["t1"], "metadata": {"session_id": "s1", "user_id": "u1"}}
RunnableLambda(run, name="answer").invoke("Weather in Paris?", CONFIG)
wait_for_all_tracers()
