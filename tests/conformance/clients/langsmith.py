"""LangSmith's decorator: a tree of runs and feedback about two of them."""

import contextlib

from langsmith import Client, get_current_run_tree, traceable

client = Client()
USED = {
    "input_tokens": 1000,
    "output_tokens": 200,
    "total_tokens": 1200,
    "input_token_details": {"cache_read": 400},
    "output_token_details": {"reasoning": 50},
}


@traceable(run_type="retriever")
def search(question):
    metadata = {"id": "d1", "score": 0.8}
    return [{"page_content": "Paris: sunny", "type": "Document", "metadata": metadata}]


@traceable(run_type="llm", metadata={"ls_provider": "openai", "ls_model_name": "gpt-4o-mini"})
def chat(messages):
    run_ids.append(get_current_run_tree().id)
    return {"role": "assistant", "content": "Paris is sunny.", "usage_metadata": USED}


@traceable(run_type="tool")
def weather(city):
    raise ValueError("no such city")


@traceable(run_type="chain", tags=["t1"], metadata={"session_id": "s1", "user_id": "u1"})
def answer(question):
    run_ids.append(get_current_run_tree().id)
    search(question)
    chat([{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}])
    with contextlib.suppress(ValueError):
        weather("Paris")
    return "Paris is sunny."


run_ids: list = []
answer("Weather in Paris?", langsmith_extra={"client": client})
root, call = run_ids
guide = client.read_project(project_name="guide").id
client.create_feedback(
    root, key="helpful", score=1.0, comment="nice", trace_id=root, session_id=guide
)
client.create_feedback(call, key="tone", score=0.5, value="polite", trace_id=root, session_id=guide)
client.flush()
