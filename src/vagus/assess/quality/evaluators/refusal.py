"""Refusals: answers that say no, in the languages most applications speak."""

from __future__ import annotations

import re

_OPENING_CHARACTERS = 400
_LONGEST_NO_ANSWER = 60

# Only the opening counts: "I cannot recommend X enough" deep in an answer is no refusal.
_REFUSED = re.compile(
    r"""
    \b(?:i'?m|i\s+am|we'?re|we\s+are)\s+(?:very\s+|really\s+|so\s+)?(?:sorry|afraid|unable)\b
        .{0,60}?\b(?:can(?:'?t|not)|could\s*n[o']t|unable|not\s+able|not\s+allowed|won'?t)\b
    | \b(?:i|we)\s+(?:can(?:'?t|not)|won'?t|must\s+decline|decline|refuse|am\s+unable|'m\s+unable
        |am\s+not\s+able|'m\s+not\s+able|am\s+not\s+allowed)\s+(?:\w+\s+){0,2}?
        (?:help|assist|provide|answer|comply|fulfil|discuss|support|share|do\s+that|give|generate
        |create|engage|to\s+(?:help|assist|provide|answer|share|discuss|give))
    | \bi'?m\s+(?:unable|not\s+able|not\s+allowed)\s+to\s+(?:help|assist|provide|answer|share
        |discuss)
    | \bas\s+an\s+ai\b.{0,60}?\b(?:can(?:'?t|not)|unable|not\s+able|don'?t)\b
    | \b(?:ich|wir)\s+(?:kann|können|darf|dürfen)\b.{0,60}?\bnicht\b.{0,40}?\b(?:helfen|beantworten
        |weiterhelfen|unterstützen)
    | \bje\s+(?:ne\s+)?(?:peux|suis)\b.{0,20}?\bpas\b.{0,40}?\b(?:aider|répondre|fournir)
    | \b(?:lo\s+siento|no\s+puedo)\b.{0,40}?\b(?:ayudar|responder|proporcionar|puedo)
    | \b(?:não\s+posso|desculpe)\b.{0,40}?\b(?:ajudar|responder|fornecer|posso)
    | \bnon\s+posso\b.{0,40}?\b(?:aiutar|rispondere|fornire)
    | (?:抱歉|对不起).{0,20}?(?:无法|不能|没办法) | 申し訳.{0,30}?(?:できません|お答えでき)
    | (?:죄송).{0,30}?(?:없습니다|어렵습니다)
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_NO_ANSWER = re.compile(
    r"""
    \bi\s+(?:do\s*n[o']t|don'?t)\s+(?:know|have\s+(?:enough|any|that|the|this|access|information))
    | \b(?:i|we)\s+(?:could\s*n[o']?t|couldn'?t|can'?t|cannot|was\s+unable\s+to|were\s+unable\s+to
        |did\s*n[o']?t|didn'?t)\s+find\b
    | \b(?:unable|not\s+able)\s+to\s+(?:answer|find|determine)\b
    | \b(?:the\s+|these\s+|this\s+|any\s+)?(?:provided\s+|given\s+|available\s+|retrieved\s+)*
        (?:passages?|documents?|context|information|sources?|text|articles?)\s+
        (?:do(?:es)?\s*n[o']t|don'?t|doesn'?t|did\s*n[o']?t)\s+(?:\w+\s+)?
        (?:contain|mention|provide|say|include|specify|state|answer|cover)
    | \b(?:no|not\s+enough|insufficient)\s+(?:relevant\s+)?information\b
    | \bthere\s+is\s+no\s+(?:mention|information)\b
    | \bich\s+weiß\s+(?:es\s+)?nicht | \bje\s+ne\s+sais\s+pas | \bno\s+(?:lo\s+)?sé\b | 我不知道
    | \bkeine\s+(?:informationen|angaben)\b | \bno\s+(?:tengo|dispongo\s+de)\s+información
    | \bje\s+n'ai\s+pas\s+(?:d'information|trouvé)
    """,
    re.IGNORECASE | re.VERBOSE,
)


def find_refusal(answer: str) -> str:
    """`refused`, `no_answer` or ''; the second only for answers that say little else."""
    opening = answer[:_OPENING_CHARACTERS].replace("’", "'")
    if _REFUSED.search(opening):
        return "refused"
    if len(answer[:5_000].split()) <= _LONGEST_NO_ANSWER and _NO_ANSWER.search(opening):
        return "no_answer"
    return ""
