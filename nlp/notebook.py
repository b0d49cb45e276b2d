"""Figures in notebooks: Japanese letters drawn in a font of this machine that has them, or a clear word that there is none."""

from __future__ import annotations

from core.errors import SettingsError

# A font for screens and paper first; then what macOS, Windows and other Linux systems bring along.
FONTS = (
    "Noto Sans CJK JP", "Noto Sans JP", "Source Han Sans JP", "IPAexGothic", "IPAGothic", "BIZ UDPGothic", "BIZ UDGothic", "Hiragino Sans",
    "Hiragino Kaku Gothic ProN", "Yu Gothic", "Meiryo", "MS Gothic", "TakaoPGothic", "VL PGothic", "UmePlus P Gothic",
)  # fmt: skip
LETTERS = "声あア町区〔〕～・％"
"""A font that has these is taken for one that can write our texts."""


def japanese_figures() -> str:
    """Lets matplotlib write Japanese in every figure from here on, and gives the name of the font.

    Raises:
        SettingsError: matplotlib isn't installed, or no font of this machine has Japanese letters.
    """
    try:
        import matplotlib as mpl
    except ImportError:
        raise SettingsError("図をかく matplotlib が入っていません。", hint="make env で環境を作り直してください。") from None
    name = japanese_font()
    mpl.rcParams["font.family"] = [name]
    mpl.rcParams["axes.unicode_minus"] = False  # many Japanese fonts lack U+2212
    mpl.rcParams["figure.dpi"] = 110
    mpl.rcParams["axes.spines.top"] = mpl.rcParams["axes.spines.right"] = False
    return name


def japanese_font() -> str:
    """The name of a font that has Japanese letters: one of ``FONTS`` if there is one, else the first that is found.

    Raises:
        SettingsError: there is none.
    """
    from matplotlib.font_manager import fontManager

    paths = {entry.name: entry.fname for entry in reversed(fontManager.ttflist)}
    others = sorted(set(paths).difference(FONTS))
    for name in [*(name for name in FONTS if name in paths), *others]:
        if _has_letters(paths[name]):
            return name
    raise SettingsError(
        "日本語の書体がこの計算機にありません。図の文字が四角になるため、かくのをやめました。",
        hint="Noto Sans CJK か IPAex ゴシックを入れ（Debian・Ubuntu では fonts-noto-cjk）、ノートを開きなおしてください。",
    )


def _has_letters(path: str) -> bool:
    from matplotlib.ft2font import FT2Font

    try:
        has = FT2Font(path).get_charmap()
    except (OSError, RuntimeError):  # damaged, or of a kind that matplotlib can't read
        return False
    return all(ord(letter) in has for letter in LETTERS)
