"""Helicone's manual logger around a call that somebody else makes."""

import os

from helicone_helpers import HeliconeManualLogger

logger = HeliconeManualLogger(
    api_key=os.environ["HELICONE_API_KEY"], logging_endpoint=os.environ["HELICONE_ENDPOINT"]
)
REQUEST = {
    "model": "gpt-4o-mini",
    "temperature": 0,
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Weather in Paris?"},
    ],
}
USED = {"prompt_tokens": 1000, "completion_tokens": 200, "total_tokens": 1200}
RESPONSE = {
    "id": "chatcmpl-helicone",
    "object": "chat.completion",
    "model": "gpt-4o-mini-2024-07-18",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "Paris is sunny."},
        }
    ],
    "usage": USED | {"prompt_tokens_details": {"cached_tokens": 400}},
}
HEADERS = {"Helicone-User-Id": "u1", "Helicone-Session-Id": "s1", "Helicone-Session-Name": "guide"}


def operation(recorder):
    recorder.append_results(RESPONSE)
    return RESPONSE


logger.log_request(
    provider="openai", request=REQUEST, operation=operation, additional_headers=HEADERS
)
