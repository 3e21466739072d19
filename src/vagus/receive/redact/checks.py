"""The checks that tell personal data from numbers that merely look like it."""

from __future__ import annotations

import phonenumbers


def is_card(text: str) -> bool:
    """Whether digits are a payment card's number: 13 to 19 of them, Luhn's sum (ISO/IEC 7812)."""
    digits = [int(c) for c in text if c.isdigit()]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1:
        return False
    doubled = (sum(divmod(2 * d, 10)) for d in digits[-2::-2])
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether a text is an account number by its check digits (ISO 13616, ISO 7064 mod 97-10)."""
    bare = text.replace(" ", "")
    if not 15 <= len(bare) <= 34:
        return False
    return int("".join(str(int(c, 36)) for c in bare[4:] + bare[:4])) % 97 == 1


def is_phone(text: str) -> bool:
    """Whether a text is a valid telephone number: with a country code, or a plain US one."""
    region = None if text.startswith(("+", "00")) else "US"
    international = "+" + text[2:] if text.startswith("00") else text
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(international, region))
    except phonenumbers.NumberParseException:
        return False
