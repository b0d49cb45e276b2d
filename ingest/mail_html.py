"""A letter written in HTML as plain text: its words and line breaks, without scripts, styles and markup."""

from __future__ import annotations

import html
import re

# Neither pattern runs past the next "<": reading stays linear whatever a sender makes up.
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:_-]*)((?:[^<>\"']|\"[^\"<]*\"|'[^'<]*')*+)>")
_LOOSE_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9:_-]*)([^<>]*)>")
_UNSEEN = {name: re.compile(rf"</{name}\b[^<>]*>?", re.IGNORECASE) for name in ("script", "style", "title", "template")}
_BLOCKS = frozenset(
    ("address", "article", "aside", "blockquote", "center", "dd", "div", "dl", "dt", "fieldset", "figure", "footer", "form", "h1", "h2",
     "h3", "h4", "h5", "h6", "header", "hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "tbody", "thead", "tr", "ul")
)  # fmt: skip
_APART = frozenset(("p", "h1", "h2", "h3", "h4", "h5", "h6"))
_CITED = re.compile(r"cite|quote|border-left", re.IGNORECASE)
_SPACES = re.compile("[ \t\r\n\f]+")


def html_to_text(source: str) -> str:
    """Paragraphs, ``br`` and table rows as lines, entities as characters, quoted replies with ``> `` before each line."""
    writer = _Writer()
    at, last_end = 0, source.rfind(">")
    while True:
        start = source.find("<", at)
        if start < 0 or start > last_end:
            writer.text(source[at:])
            return writer.finish()
        writer.text(source[at:start])
        at = _past(source, start, writer)


def _past(source: str, start: int, writer: _Writer) -> int:
    """Takes in the markup that begins at ``start`` and says where it ends."""
    if source.startswith("<!--", start):
        end = source.find("-->", start + 2)
        return len(source) if end < 0 else end + 3
    if source.startswith(("<!", "<?"), start):
        return source.find(">", start) + 1
    tag = _TAG.match(source, start) or _LOOSE_TAG.match(source, start)
    if not tag:
        writer.text("<")
        return start + 1
    name = tag[2].lower()
    if not tag[1] and name in _UNSEEN:
        closing = _UNSEEN[name].search(source, tag.end())
        return closing.end() if closing else len(source)
    if tag[1]:
        writer.close(name)
    else:
        writer.open(name, tag[3])
    return tag.end()


class _Writer:
    """Lines in the making."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._line: list[str] = []
        self._quotes: list[bool] = []
        self._kept = 0
        self._gap = False
        self._spaced = True

    def text(self, piece: str) -> None:
        if not piece:
            return
        plain = html.unescape(piece).replace("\xa0", " ")
        if self._kept:
            first, *others = plain.replace("\r\n", "\n").split("\n")
            self._line.append(first)
            for line in others:
                self._end(forced=True)
                self._line.append(line)
            return
        plain = _SPACES.sub(" ", plain)
        if not self._line or self._line[-1].endswith(" "):
            plain = plain.removeprefix(" ")
        if plain:
            self._line.append(plain)

    def open(self, name: str, attributes: str) -> None:
        if name == "br":
            self._end(forced=True)
        elif name in ("td", "th") and self._line:
            self._line.append("　")
        elif name in _BLOCKS:
            self._end()
            if name in _APART:
                self._spaced = "mso" not in attributes.lower()  # Outlook's paragraphs are lines
                self._gap = self._gap or self._spaced
            if name == "hr":
                self._line.append("-" * 20)
                self._end()
            elif name == "li":
                self._line.append("・")
            elif name == "blockquote":
                self._quotes.append(_CITED.search(attributes) is not None)
            elif name == "pre":
                self._kept += 1

    def close(self, name: str) -> None:
        if name not in _BLOCKS:
            return
        self._end()
        if name == "blockquote" and self._quotes:
            self._quotes.pop()
        elif name == "pre":
            self._kept = max(self._kept - 1, 0)
        elif name in _APART:
            self._gap = self._spaced

    def finish(self) -> str:
        self._end()
        return "\n".join(self._lines).strip("\n")

    def _end(self, *, forced: bool = False) -> None:
        line = "".join(self._line).rstrip()
        self._line.clear()
        if not line and not forced:
            return
        if self._gap and line and self._lines and self._lines[-1]:
            self._lines.append("")
        self._gap = False
        self._lines.append("> " * min(sum(self._quotes), 5) + line)
