"""Calls through LiteLLM; the callback that reports them is named by the environment."""

import asyncio
import contextlib
import os

import litellm

litellm.callbacks = [os.environ["CALLBACK"]]
litellm.suppress_debug_info = True
ASKED = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Weather in Paris?"},
]


async def main():
    said = {"metadata": {"session_id": "s1", "trace_user_id": "u1"}, "user": "u1"}
    await litellm.acompletion("openai/gpt-4o-mini", ASKED, temperature=0, **said)
    with contextlib.suppress(litellm.NotFoundError):
        await litellm.acompletion("openai/missing", ASKED, max_retries=0, **said)
    # Batches are sent by the running loop.
    await asyncio.sleep(float(os.environ["FLUSH_S"]))


asyncio.run(main())
