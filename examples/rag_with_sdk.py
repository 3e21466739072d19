"""Answering from documents, observed with the Vagus SDK; no vendor's key is needed.

pip install vagus
export VAGUS_API_KEY=<ingest key>
python examples/rag_with_sdk.py "How long do I have to send something back?"
"""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator

import vagus

DOCUMENTS = {
    "returns": "You have 45 days to send something back. The label is free for members.",
    "shipping": "Standard delivery takes 2 to 3 working days and is free from 39 euros.",
    "repairs": "Repairs take 6 working days on average. A loan phone is available.",
}


def words(text: str) -> set[str]:
    """The words of a text."""
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def search(question: str, limit: int = 2) -> list[dict[str, object]]:
    """The documents that share most words with the question: a real search, if a small one."""
    with vagus.retrieval(
        question, data_source="help", top_k=limit, index_version="2026-11"
    ) as call:
        scored = [
            {"id": id, "content": text, "score": len(words(text) & words(question)) / 10}
            for id, text in DOCUMENTS.items()
        ]
        found = sorted(scored, key=lambda item: -float(str(item["score"])))[:limit]
        call.documents(found)
        return found


def fake_model(passages: list[str]) -> Iterator[str]:
    """Stands in for a streaming model: repeats the first passage, word by word."""
    for word in passages[0].split():
        time.sleep(0.005)
        yield word + " "


@vagus.observe(name="answer")
def answer(question: str) -> Iterator[str]:
    """Search, then stream an answer; the span lasts until the last word."""
    passages = [str(item["content"]) for item in search(question)]
    prompt = [{"role": "user", "content": "\n".join([*passages, question])}]
    with vagus.llm("fake-model", provider="local", messages=prompt, stream=True) as call:
        said = []
        for word in fake_model(passages):
            if not said:
                call.first_token()
            said.append(word)
            yield word
        call.output("".join(said), finish_reason="stop")
        call.usage(input_tokens=sum(map(len, passages)) // 4, output_tokens=len(said))


def main() -> None:
    """Answer the question on the command line."""
    vagus.init("rag-example", environment="development")
    question = " ".join(sys.argv[1:]) or "How long do I have to send something back?"
    with vagus.context(team="docs", feature="rag-example", user="u-1", session="s-1"):
        for word in answer(question):
            print(word, end="", flush=True)
    print()
    vagus.shutdown()


if __name__ == "__main__":
    main()
