"""An agent with tools that run at the same time, and a verdict of its user.

pip install vagus
export VAGUS_API_KEY=<ingest key>
python examples/async_agent.py
"""

from __future__ import annotations

import asyncio

import vagus

ORDERS = {17: {"state": "delivered", "total": 49.0}, 23: {"state": "shipped", "total": 12.5}}


@vagus.observe(name="order_lookup", kind="tool")
async def order_lookup(order: int) -> dict[str, object]:
    """Look an order up; a KeyError for an unknown one is recorded and passes on."""
    await asyncio.sleep(0.01)
    return ORDERS[order]


async def fake_model(facts: list[object]) -> str:
    """Stands in for a model that puts the answer together."""
    with vagus.llm("fake-model", provider="local", messages=str(facts)) as call:
        await asyncio.sleep(0.02)
        text = f"I looked up {len(facts)} orders."
        call.output(text, finish_reason="stop").usage(input_tokens=40, output_tokens=7)
        return text


async def handle(request: str) -> str:
    """One run of the agent: tools side by side, one of which fails, then the answer."""
    with vagus.agent("orders", input=request) as run:
        found = await asyncio.gather(*map(order_lookup, (17, 23, 99)), return_exceptions=True)
        text = await fake_model([item for item in found if not isinstance(item, BaseException)])
        run.output(text)
        vagus.score("resolved", passed=True, source="user")
        return text


def main() -> None:
    """Handle one request."""
    vagus.init("agent-example", environment="development")
    with vagus.context(team="orders", feature="agent-example", user="u-2"):
        print(asyncio.run(handle("Where are my orders 17, 23 and 99?")))
    vagus.shutdown()


if __name__ == "__main__":
    main()
