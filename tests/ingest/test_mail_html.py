"""HTML mails as the text that a reader sees."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.mail_html import html_to_text
from tests.ingest.mails import SLACK


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<div>a</div><div>b</div>", "a\nb"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ('<p class="MsoNormal">a</p><p class="MsoNormal">b</p>', "a\nb"),
        ("a &amp; b &lt;c&gt; &#12354;&nbsp;&hearts;", "a & b <c> あ ♥"),
        ("<script>alert('<p>x')</script><style>p{}</style>a<SCRIPT>b</SCRIPT >c", "ac"),
        ("<!-- <p>x</p> -->a<!--[if mso]>b<![endif]-->c<![if !mso]>d<![endif]>", "acd"),
        ("<head><title>x</title></head><body>a", "a"),
        ("a  \r\n  b", "a b"),
        ("<pre>a\n  b</pre>c", "a\n  b\nc"),
        ("<ul><li>a<li>b</ul>", "・a\n・b"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a　b\nc"),
        ('<blockquote type="cite">a<br>b</blockquote>c', "> a\n> b\nc"),
        ('<blockquote style="margin:0">a</blockquote>b', "a\nb"),
        ('<a href="x>y">a</a>', "a"),
        ("a < b, 1<2, <3", "a < b, 1<2, <3"),
        ('<p title="unclosed>a</p>', "a"),
        ("<script>never closed", ""),
        ("a<!-- never closed", "a<!-- never closed"),
        ("</p></blockquote></pre>a", "a"),
    ],
    ids=count(1),
)
def test_html_becomes_the_text_that_a_reader_sees(source: str, expected: str) -> None:
    assert html_to_text(source) == expected


@pytest.mark.parametrize(
    "piece",
    ["<a ", "<!", "<!--", "<a b='", '<a b="', "<p", "<", "&", "<style>", "</", "<?", "<blockquote type=cite>", "<a>" * 3],
    ids=count(1),
)
def test_html_made_to_be_slow_is_read_to_its_end(piece: str) -> None:
    # In a time that grew with the square of the length these would take hours.
    assert isinstance(html_to_text(piece * 100_000 + ">"), str)
    assert html_to_text("前" + piece * 100_000).startswith("前")


@SLACK
@given(st.text(st.sampled_from("<>!-/ab \"'=&;\n?[]pre") | st.characters(), max_size=200))
def test_any_html_is_text(source: str) -> None:
    assert isinstance(html_to_text(source), str)
