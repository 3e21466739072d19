"""Text from telemetry made fit for a terminal: whatever would steer it is shown escaped."""

from __future__ import annotations


def plain(text: str) -> str:
    """The text with every control, direction and other invisible character spelled out."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in text
    )
