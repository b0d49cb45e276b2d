"""What a password has to be, and passwords to begin with."""

from __future__ import annotations

import secrets

from core.errors import InputError

SHORTEST = 12
LONGEST = 1024
_FEWEST_CHARACTERS = 5
# Of twelve characters and more: what lists of stolen passwords begin with, and what a city would think of first.
_TRIED_FIRST = """
123456789012 1234567890123 12345678901234567890 123456123456 123123123123 012345678910 password1234 password12345 passwordpassword
password123456 passw0rd1234 p@ssw0rd1234 qwertyuiop12 qwertyuiop123 qwertyuiop1234 qwertyqwerty qwerty123456 1qaz2wsx3edc
1qaz2wsx3edc4rfv 1q2w3e4r5t6y 1q2w3e4r5t6y7u8i q1w2e3r4t5y6 zaq12wsxcde3 abcdefghijkl abcdefgh1234 abcd12345678 asdfghjkl123
administrator adminadminadmin iloveyou1234 letmein12345 welcome12345 changeme1234 koenowakoenowa koenowa12345 koenowa123456
shiyakusho12 shiyakusho123 shiyakusho1234 kouchou12345 kouchoukouchou
"""
_COMMONEST = frozenset(_TRIED_FIRST.split())
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another
_GROUPS, _GROUP = 4, 5


def check(password: str, *, username: str) -> None:
    """Whether a password can be chosen (NIST SP 800-63B: long, and not among those that are tried first).

    Raises:
        InputError: it can't; says why, and never what it was.
    """
    plain = password.casefold()
    if len(password) < SHORTEST:
        raise InputError(f"パスワードは {SHORTEST} 文字以上にしてください。", hint="長い文でもかまいません。")
    if len(password) > LONGEST:
        raise InputError(f"パスワードは {LONGEST} 文字までにしてください。", hint="短い文にしてください。")
    if plain == username.casefold():
        raise InputError("利用者名と同じパスワードは使えません。", hint="ほかの人が思いつかない文にしてください。")
    if plain in _COMMONEST or len(set(plain)) < _FEWEST_CHARACTERS:
        raise InputError("よく使われていて、すぐに当てられるパスワードです。", hint="ほかの人が思いつかない文にしてください。")


def to_begin_with() -> str:
    """A random password to hand over once, easy to read out."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
