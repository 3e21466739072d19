"""Sentences, words, stems, numbers and names of a text, by rules that need no model."""

from __future__ import annotations

import functools
import itertools
import re

# A text without sentence ends must not become one endless sentence.
MAX_SENTENCE_WORDS = 400

_SENTENCE = re.compile(r"(?<=[.!?。！？])[\"')\]]*\s+|[。！？]|\n+")
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|Sr|Jr|St|vs|etc|e\.g|i\.e|No|approx|Inc|Ltd|Co|U\.S)|\b[A-Z])\.$"
)
_BULLET = re.compile(r"^\s*(?:[-*•·–#>]+|\(?\d{1,2}[.)]|\(?[a-zA-Z][.)])\s+")
_MARKUP = re.compile(
    r"\*\*|__|`|\[\^?\d{1,3}\]|\((?:passage|source|document)s?\s*[\d, and]+\)", re.IGNORECASE
)
# Letters of scripts without spaces between words stand alone.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|\d[\d.,]*\d|[^\W_]+(?:['’][^\W_]+)*"
)
_NUMBER = re.compile(r"\d[\d.,]*")

_STOP_WORDS_TEXT = """
    a about above after again against all also although am an and any are aren't as at be because
    been before being below between both but by can can't cannot could couldn't did didn't do does
    doesn't doing don't down during each etc few for from further had hadn't has hasn't have haven't
    having he he'd he'll he's her here here's hers herself him himself his how how's however i i'd
    i'll i'm i've if in into is isn't it it's its itself just let's may me might more most must
    mustn't my myself no nor not of off on once one only or other ought our ours ourselves out over
    own per please same shall shan't she she'd she'll she's should shouldn't so some such than that
    that's the their theirs them themselves then there there's these they they'd they'll they're
    they've this those though through thus to too under until up upon us very was wasn't we we'd
    we'll we're we've were weren't what what's when when's where where's which while who who's whom
    why why's will with within without won't would wouldn't yet you you'd you'll you're you've your
    yours yourself yourselves
"""
STOP_WORDS = frozenset(_STOP_WORDS_TEXT.split())
_NEGATIONS_TEXT = """
    no not never none nobody nothing neither nor cannot without can't don't doesn't didn't isn't
    aren't wasn't weren't won't wouldn't shouldn't couldn't hasn't haven't hadn't unable unlikely
    fails failed lack lacks refuse refused denied
"""
NEGATIONS = frozenset(_NEGATIONS_TEXT.split())
_HEDGES_TEXT = """
    may might could perhaps possibly probably likely seems seem appears appear suggests suggest
    generally typically usually often around approximately about roughly sometimes
"""
HEDGES = frozenset(_HEDGES_TEXT.split())
_COUNTING = """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen
        fifteen sixteen seventeen eighteen nineteen twenty
"""
_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(_COUNTING.split())
} | {"thirty": "30", "forty": "40", "fifty": "50", "hundred": "100", "first": "1", "second": "2",
     "third": "3"}  # fmt: skip


def sentence_spans(text: str, limit: int) -> list[tuple[int, int]]:
    """Start and end of at most `limit` sentences; a line break and a list item end one too."""
    found: list[tuple[int, int]] = []
    start = 0
    for mark in _SENTENCE.finditer(text):
        # `e.g. this` and `Dr. Who` go on.
        is_gap = mark.group().isspace() and "\n" not in mark.group()
        if is_gap and _ABBREVIATION.search(text, max(start, mark.start() - 8), mark.start()):
            continue
        if text[start : mark.start()].strip():
            found.append((start, mark.start()))
            if len(found) >= limit:
                return found
        start = mark.end()
    if text[start:].strip():
        found.append((start, len(text)))
    return found


def split_sentences(text: str, limit: int) -> list[str]:
    """At most `limit` sentences of a text."""
    return [text[start:end].strip() for start, end in sentence_spans(text, limit)]


def plain_sentence(sentence: str) -> str:
    """A sentence without list marks, emphasis and citation marks."""
    return _MARKUP.sub("", _BULLET.sub("", sentence)).strip()


def words_of(sentence: str) -> list[str]:
    """The first words of a sentence as written; in scripts without spaces each letter is one."""
    found = itertools.islice(_WORD.finditer(sentence), MAX_SENTENCE_WORDS)
    return [match.group().replace("’", "'") for match in found]


def content_words(words: list[str]) -> list[str]:
    """The lower-case words that carry meaning."""
    return [
        word for word in words if word not in STOP_WORDS and (len(word) > 1 or not word.isascii())
    ]


@functools.lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A light English stem: plural, past, -ing, -ly and a final e fall off."""
    if len(word) <= 3 or not word.isascii() or word[0].isdigit():
        return word
    word = word.removesuffix("'s")
    for ending, replacement in (("ies", "y"), ("sses", "ss"), ("es", "e"), ("s", "")):
        if word.endswith(ending) and not word.endswith(("ss", "us", "is")):
            word = word[: -len(ending)] + replacement
            break
    for ending in ("ingly", "edly", "ing", "ed", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            if len(word) > 3 and word[-1] == word[-2] and word[-1] not in "lsz":
                word = word[:-1]
            break
    if len(word) > 3 and word.endswith("y"):
        return word[:-1] + "i"
    return word.removesuffix("e") if len(word) > 4 else word


def numbers_of(sentence: str, words: list[str]) -> set[str]:
    """The numbers in a sentence, `1,000.50` as `1000.5`, small number words as digits."""
    found = {_plain_number(number) for number in _NUMBER.findall(sentence)}
    return found | {_NUMBER_WORDS[word] for word in words if word in _NUMBER_WORDS}


def figures_of(sentence: str) -> dict[str, str]:
    """The numbers written in digits, in plain form, with how each was written."""
    return {_plain_number(number): number.rstrip(".,") for number in _NUMBER.findall(sentence)}


def _plain_number(number: str) -> str:
    plain = number.rstrip(".,").replace(",", "")
    if "." in plain:
        plain = plain.rstrip("0").rstrip(".")
    return plain.lstrip("0") or "0"


def names_of(words: list[str]) -> list[str]:
    """Capitalised words inside a sentence: names of people, places, products."""
    found = [
        word
        for word in words[1:]
        if word[0].isupper() and word.lower() not in STOP_WORDS and len(word) > 1
    ]
    if words and len(words[0]) > 1 and any(letter.isupper() for letter in words[0][1:]):
        found.insert(0, words[0])
    return found
