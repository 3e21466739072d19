"""What the application does with a request: pure, from a visit to the tree of its steps."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, replace

from vagus.demo.feature import EMBEDDER, Feature
from vagus.demo.knowledge import Index, products
from vagus.demo.step import Call, Failure, Message, Model, Search, Step
from vagus.demo.story import Visit

#: Instructions and few-shot examples that a real prompt carries and nobody wants to read here.
_INSTRUCTION_TOKENS = 1180
_RATE_LIMITED = Failure("RateLimitError", "Error code: 429 - rate limit reached for requests", 429)
_TIMED_OUT = Failure("APITimeoutError", "Request timed out.", None)
_TOOL_TIMEOUT = Failure("TimeoutError", "order service did not answer within 2 s", None)

_SYSTEM = {
    "help-chat": "You are Fernway's help assistant. Answer from the passages only.",
    "email-replies": "You write Fernway's email replies. Use only the passages.",
    "product-advisor": "You recommend products of Fernway's catalogue. Use only the passages.",
    "order-agent": "You look after Fernway orders with the tools you have.",
    "gift-finder": "You find gifts in Fernway's catalogue with the tools you have.",
    "ticket-triage": "Name the queue of the ticket and its urgency as JSON.",
    "call-summary": "Summarise the call in two sentences.",
}
_REFUSAL = "I'm sorry, I could not find anything about that in our help centre."
_QUEUES = ("returns", "delivery", "payment", "account", "product")


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished request: its steps, and the user's thumb if they gave one."""

    root: Step
    thumb: bool | None


class Application:
    """Handles one request; the clock of its steps is its own."""

    def __init__(self, visit: Visit, index: Index, rng: random.Random, *, is_stale: bool) -> None:
        self._visit = visit
        self._index = index
        self._rng = rng
        self._is_stale = is_stale
        self._now_ms = 0.0

    def handle(self) -> Outcome:
        """Do what the feature does."""
        handlers = {
            "rag": self._answer,
            "agent": self._act,
            "triage": self._triage,
            "summary": self._summarise,
        }
        feature = self._visit.feature
        kind = "agent" if feature.kind == "agent" else "chain"
        root = Step(kind, feature.name, 0.0, input=self._visit.question)
        handlers[feature.kind](root)
        root.duration_ms = self._now_ms + self._rng.uniform(1, 6)
        failed = [child for child in root.children if child.failure]
        if failed and root.children[-1] is failed[-1]:
            root.failure, root.output = failed[-1].failure, ""
        return Outcome(root, self._thumb(root))

    @property
    def _lacks_the_topic(self) -> bool:
        return self._is_stale and self._visit.article.differs_when_stale

    def _thumb(self, root: Step) -> bool | None:
        if self._visit.feature.kind != "rag" or root.failure or self._rng.random() > 0.07:
            return None
        return self._rng.random() > (0.45 if self._lacks_the_topic else 0.08)

    # Retrieval-augmented answers.

    def _answer(self, root: Step) -> None:
        question = self._visit.question
        root.children.append(self._lasting("guardrail", "input check", self._rng.gauss(9, 2)))
        root.children[-1].input, root.children[-1].output = question, '{"allowed": true}'
        embed = self._lasting("embedding", EMBEDDER.name, self._spread(55))
        tokens = max(4, len(question) // 4)
        embed.call = Call(EMBEDDER, input_tokens=tokens, response_id=self._id("emb"))
        embed.input = question
        root.children.append(embed)
        found = self._index.search(question)
        noisy = tuple(
            replace(hit, score=round(min(0.99, hit.score + self._rng.gauss(0, 0.012)), 4))
            for hit in found
        )
        retrieve = self._lasting("retrieval", self._index.name, self._spread(48))
        retrieve.search = Search(question, self._index.name, self._index.version, noisy)
        root.children.append(retrieve)
        order = self._lasting("rerank", "reranker", self._spread(85))
        # The reranker trusts words and now and then swaps neighbours.
        kept = sorted(noisy, key=lambda hit: -hit.score + self._rng.gauss(0, 0.03))[:4]
        order.search = Search(question, self._index.name, self._index.version, tuple(kept), noisy)
        root.children.append(order)
        passages = "\n".join(f"[{n + 1}] {hit.passage.text}" for n, hit in enumerate(kept))
        answer = self._wording()
        asked = self._messages(f"Passages:\n{passages}\n\nQuestion: {question}")
        self._call_model(root, asked, Message("assistant", answer))
        root.output = answer

    def _wording(self) -> str:
        """The answer: what is true today. With a stale index nothing it was given says so."""
        visit = self._visit
        if self._lacks_the_topic and self._rng.random() < 0.1:
            return _REFUSAL
        facts = visit.article.text
        if visit.feature.name == "email-replies":
            return f"Thank you for writing to us. {facts}"
        return facts if self._rng.random() < 0.7 else facts.split(". ")[0].rstrip(".") + "."

    # Agents.

    def _act(self, root: Step) -> None:
        feature, rng = self._visit.feature, self._rng
        plan = _plan_of(feature, rng)
        root.input = plan.request
        messages = self._messages(plan.request)
        for tool, arguments, result in plan.calls:
            call_id = self._id("call")
            asked = Message("assistant", call_id=call_id, tool=tool, arguments=arguments)
            if not self._call_model(root, messages, asked, tools=_tools_of(feature)):
                return
            self._call_tool(root, tool, call_id, arguments, result)
            messages += (asked, Message("tool", result, call_id=call_id, tool=tool))
        if self._call_model(
            root, messages, Message("assistant", plan.answer), tools=_tools_of(feature)
        ):
            root.output = plan.answer

    def _call_tool(self, root: Step, tool: str, call_id: str, arguments: str, result: str) -> None:
        if self._rng.random() < 0.05:
            lost = self._lasting("tool", tool, 2000.0)
            lost.input, lost.call_id, lost.failure = arguments, call_id, _TOOL_TIMEOUT
            root.children.append(lost)
        used = self._lasting("tool", tool, self._spread(170))
        used.input, used.output, used.call_id = arguments, result, call_id
        root.children.append(used)

    # Plain model calls.

    def _triage(self, root: Step) -> None:
        urgency = self._rng.choice(("low", "normal", "high"))
        answer = json.dumps({"queue": self._rng.choice(_QUEUES), "urgency": urgency})
        if self._call_model(root, self._messages(root.input), Message("assistant", answer)):
            root.output = answer

    def _summarise(self, root: Step) -> None:
        article = self._visit.article
        turns = [f"Customer: {self._visit.question}", f"Agent: {article.text}"]
        turns += [f"Customer: {q}\nAgent: One moment, please." for q in article.questions]
        root.input = "\n".join(turns)
        answer = f"The customer asked about {article.topic}. The agent explained: {article.text}"
        if self._call_model(root, self._messages(root.input), Message("assistant", answer)):
            root.output = answer

    # What all of them share.

    def _messages(self, text: str) -> tuple[Message, ...]:
        system = _SYSTEM[self._visit.feature.name]
        return (Message("system", system), Message("user", text))

    def _call_model(
        self, root: Step, messages: tuple[Message, ...], answer: Message, tools: str = ""
    ) -> bool:
        """Call the model as a client library does: a refused call is repeated after a pause."""
        model, attempt = self._visit.feature.model, 1
        while self._rng.random() < 0.02 and attempt < 3:
            refused = self._lasting("llm", model.name, self._spread(140))
            refused.call = Call(model, messages, attempt=attempt, tools=tools)
            refused.failure = _RATE_LIMITED
            root.children.append(refused)
            self._now_ms += 600.0 * 2 ** (attempt - 1) * self._rng.uniform(0.9, 1.2)
            attempt += 1
        if self._rng.random() < 0.003:
            lost = self._lasting("llm", model.name, 20_000.0)
            lost.call = Call(model, messages, attempt=attempt, tools=tools)
            lost.failure = _TIMED_OUT
            root.children.append(lost)
            return False
        root.children.append(self._model_step(model, messages, answer, attempt, tools))
        return True

    def _model_step(
        self,
        model: Model,
        messages: tuple[Message, ...],
        answer: Message,
        attempt: int,
        tools: str,
    ) -> Step:
        rng = self._rng
        said = answer.text or answer.arguments
        size = sum(len(message.text) + len(message.arguments) for message in messages)
        output_tokens = max(3, int(len(said) / 4 * rng.uniform(0.9, 1.15)))
        first_ms = model.first_token_ms * rng.lognormvariate(0, 0.3)
        step = self._lasting("llm", model.name, first_ms + output_tokens * model.token_ms)
        step.output = answer.text
        step.call = Call(
            model=model,
            messages=messages,
            answer=answer,
            finish_reason="tool_calls" if answer.tool else "stop",
            response_id=self._id("resp"),
            input_tokens=_INSTRUCTION_TOKENS + size // 4 + len(tools) // 5,
            output_tokens=output_tokens,
            # Providers cache whole blocks of a prompt's beginning, when it was used lately.
            cached_tokens=1024 if rng.random() < 0.45 else 0,
            first_token_ms=first_ms,
            attempt=attempt,
            tools=tools,
        )
        return step

    def _lasting(self, kind: str, name: str, duration_ms: float) -> Step:
        start_ms = self._now_ms + self._rng.uniform(0.2, 2.0)
        self._now_ms = start_ms + max(1.0, duration_ms)
        return Step(kind, name, start_ms, max(1.0, duration_ms))

    def _spread(self, typical_ms: float) -> float:
        return typical_ms * self._rng.lognormvariate(0, 0.35)

    def _id(self, prefix: str) -> str:
        return f"{prefix}_{self._rng.getrandbits(80):020x}"


@dataclass(frozen=True, slots=True)
class _Errand:
    """What an agent is asked, the tool calls it makes (name, arguments, result), its answer."""

    request: str
    calls: tuple[tuple[str, str, str], ...]
    answer: str


def _plan_of(feature: Feature, rng: random.Random) -> _Errand:
    if feature.name == "gift-finder":
        return _gift(rng)
    order = rng.randrange(100_000, 999_999)
    state = rng.choice(("packed", "shipped", "delivered"))
    look_up = (
        "order_lookup",
        json.dumps({"order": order}),
        json.dumps({"order": order, "state": state, "total": round(rng.uniform(12, 240), 2)}),
    )
    if rng.random() < 0.55:
        answer = f"Your order {order} is {state}."
        return _Errand(f"Where is my order {order}?", (look_up,), answer)
    amount = round(rng.uniform(10, 120), 2)
    refund = (
        "refund",
        json.dumps({"order": order, "amount": amount}),
        json.dumps({"refund": f"r-{order}", "amount": amount, "state": "accepted"}),
    )
    answer = f"I refunded {amount} euros for order {order}. The reference is r-{order}."
    request = f"Please refund {amount} euros for order {order}, one item was broken."
    return _Errand(request, (look_up, refund), answer)


def _gift(rng: random.Random) -> _Errand:
    first, second = rng.sample(products(), 2)
    budget = rng.choice((30, 50, 80, 120))
    calls = tuple(
        (
            "search",
            json.dumps({"query": product.topic, "max_price": budget}),
            json.dumps([{"id": product.id, "text": product.text}]),
        )
        for product in (first, second)
    )
    answer = f"How about this: {first.text} Or this: {second.text}"
    return _Errand(f"I need a gift for a hiker for up to {budget} euros.", calls, answer)


def _tools_of(feature: Feature) -> str:
    names = ("search",) if feature.name == "gift-finder" else ("order_lookup", "refund", "search")
    parameters = {
        "order_lookup": {"order": {"type": "integer"}},
        "refund": {"order": {"type": "integer"}, "amount": {"type": "number"}},
        "search": {"query": {"type": "string"}, "max_price": {"type": "number"}},
    }
    return json.dumps(
        [
            {
                "type": "function",
                "name": name,
                "parameters": {"type": "object", "properties": parameters[name]},
            }
            for name in names
        ]
    )
