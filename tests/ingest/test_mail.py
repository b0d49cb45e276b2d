"""Mails as rows: the sample city's forty, and made ones for every way in which mailers write, quote, sign and break things."""

from __future__ import annotations

import base64
import json
from email import message_from_bytes
from email import policy as email_policy
from itertools import count
from pathlib import Path

import pytest

from core.models import Channel
from core.settings import PROJECT_ROOT, Settings
from ingest import mail_message
from ingest.incoming import IncomingVoice, RejectedRow, Row
from ingest.interpret import Interpreter, fallback_day
from ingest.mail import open_mail, sniff
from ingest.mail_charset import decode_header
from ingest.mail_message import HEADINGS
from ingest.mapping import resolve_mapping
from tests.ingest.conftest import Write
from tests.ingest.mails import HEAD, LETTER, mail, multi, part

SAMPLE = PROJECT_ROOT / "data/sample"
TRUTH = [entry for line in (SAMPLE / "truth.jsonl").read_text("utf-8").splitlines() if (entry := json.loads(line))["file"].endswith(".eml")]


@pytest.fixture
def cells(mail_rows):
    """The one row of a mail, by heading."""

    def _cells(content: bytes) -> dict[str, str]:
        (row,) = mail_rows(content)
        assert isinstance(row, Row), (row.code, row.reason)
        return dict(zip(HEADINGS, row.cells, strict=True))

    return _cells


@pytest.fixture
def reject(mail_rows):
    def _reject(content: bytes) -> RejectedRow:
        (row,) = mail_rows(content)
        assert isinstance(row, RejectedRow), row.cells
        return row

    return _reject


# The sample


@pytest.mark.parametrize("truth", TRUTH, ids=[entry["file"] for entry in TRUTH])
def test_the_sample_s_mails_come_out_as_they_were_written(settings: Settings, truth) -> None:
    path = SAMPLE / truth["file"]
    assert sniff(path)
    (row,) = open_mail(path).rows(needed=1, settings=settings)
    assert isinstance(row, Row)
    found = dict(zip(HEADINGS, row.cells, strict=True))
    told = message_from_bytes(path.read_bytes(), policy=email_policy.default)
    body = told.get_body(preferencelist=("plain",))
    assert body is not None
    whole = body.get_content().replace("\r\n", "\n").strip()
    sender = told["from"].addresses[0]
    assert found["番号"] == truth["external_id"]
    assert found["受付日"] == f"{told['date'].datetime:%Y-%m-%d %H:%M:%S}"
    assert (found["件名"], found["氏名"], found["メール"]) == (told["subject"], sender.display_name, sender.addr_spec)
    assert (found["原文"], found["受付媒体"], found["添付"]) == (whole, "電子メール", "")
    assert all(secret["surface"] in found["原文"] for secret in truth["pii"])
    # Whatever was cut stands below the letter and begins with a rule, a quote or the sender's name.
    assert whole.startswith(found["本文"])
    cut = whole[len(found["本文"]) :].strip()
    assert not cut or cut.startswith(("---", "--\n", "＊", ">", sender.display_name))
    assert not any(line.startswith((">", "--", "＊＊")) for line in found["本文"].splitlines())
    assert found["本文"].endswith(("。", "か。"))


def test_auto_mapping_knows_the_headings_and_makes_a_voice(mail_rows, settings: Settings) -> None:
    (row,) = mail_rows(mail(f"{LETTER}\n\n-- \n見本 花子\n電話 090-0000-0000\n"))
    mapping = resolve_mapping("auto", HEADINGS, settings=settings)
    interpreter = Interpreter(mapping, file_name="a.eml", fallback=fallback_day(mapping, file_name="a.eml", received_on=None))
    (voice,) = interpreter.read(row)
    assert isinstance(voice, IncomingVoice)
    assert (voice.text, voice.channel, voice.external_id) == (LETTER, Channel.EMAIL, "<1@mail.example>")
    assert str(voice.received_at) == "2026-04-01 10:00:00+09:00"
    assert voice.contact == {"email": "sender@mail.example"}


# Charsets


def test_a_body_that_no_charset_fits_is_rejected_with_its_bytes(reject) -> None:
    bad = reject(mail(LETTER.encode()[:-1]))
    assert (bad.row, bad.column, bad.code) == (1, "本文", "encoding")
    assert bad.cells[0].encode("ascii", "surrogateescape").endswith(LETTER.encode()[:-1])
    assert LETTER[:5] not in bad.reason


# Headers


def word(data: bytes, charset: str = "utf-8") -> str:
    return f"=?{charset}?B?{base64.b64encode(data).decode()}?="


@pytest.mark.parametrize(
    "raw", [word("道路の件".encode()[:-1]), "=?utf-8?B?6YG!!T?=", word(b"\xff\xfe\xfd\x80"), "\udcff\udc80\udc81"], ids=count(1)
)
def test_a_subject_that_can_t_be_read_rejects_the_mail(reject, raw: str) -> None:
    assert decode_header(raw) is None
    bad = reject(mail(head=HEAD.replace(b"test", raw.encode("ascii", "surrogateescape"))))
    assert (bad.column, bad.code) == ("件名", "encoding")


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        (f"{word('見本 花子'.encode())} <a@mail.example>", "見本 花子", "a@mail.example"),
        (f'"{word("見本 花子".encode())}" <a@mail.example>', "見本 花子", "a@mail.example"),
        ("a@mail.example (Sample)", "Sample", "a@mail.example"),
        ('"Sample, A." <a@mail.example>', "Sample, A.", "a@mail.example"),
        ('"a@mail.example" <a@mail.example>', "", "a@mail.example"),
        ('"x <b@mail.example>" <a@mail.example>', "x <b@mail.example>", "a@mail.example"),
        ("a@mail.example", "", "a@mail.example"),
        (word("見本 花子 <a@mail.example>".encode()), "見本 花子", "a@mail.example"),
        ("見本花子 <a@mail.example>".encode("iso2022_jp").decode(), "見本花子", "a@mail.example"),
        ("見本花子 <a@mail.example>", "見本花子", "a@mail.example"),
        ("見本花子", "見本花子", ""),
        ("", "", ""),
    ],
    ids=count(1),
)
def test_the_sender_s_name_and_address(cells, sender: str, name: str, address: str) -> None:
    found = cells(mail(head=HEAD.replace(b"sender@mail.example", sender.encode())))
    assert (found["氏名"], found["メール"]) == (name, address)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Wed, 01 Apr 2026 23:30:00 +0000", "2026-04-02 08:30:00"),
        ("1 Apr 2026 10:00:05 +0900 (JST)", "2026-04-01 10:00:05"),
        ("Wed, 01 Apr 2026 10:00:00", "2026-04-01 10:00:00"),
        ("Wed, 01 Apr 2026 10:00:00 -0000", "2026-04-01 19:00:00"),
        ("2026/04/01 10:00:00", "2026-04-01 10:00:00"),
        ("いつか", "2026-04-03 09:00:00"),
        ("Wed, 01 Apr 2099 10:00:00 +0900", "2026-04-03 09:00:00"),
        ("", "2026-04-03 09:00:00"),
    ],
    ids=count(1),
)
def test_the_day_is_japan_s_and_the_arrival_s_where_the_sender_has_none(cells, date: str, expected: str) -> None:
    received = b"Received: from a.example by b.example; Fri, 03 Apr 2026 00:00:00 +0000\r\n"
    found = cells(received + mail(head=HEAD.replace(b"Wed, 01 Apr 2026 10:00:00 +0900", date.encode())))
    assert found["受付日"] == expected


def test_a_mail_without_any_date_has_an_empty_day(cells) -> None:
    assert cells(mail(head=b"From: a@mail.example\r\nSubject: x\r\n"))["受付日"] == ""


def test_without_a_usable_number_a_digest_stands_for_it_always_the_same(cells) -> None:
    bare = HEAD.replace(b"Message-ID: <1@mail.example>\r\n", b"")
    first, again, other = cells(mail(head=bare)), cells(mail(head=bare)), cells(mail("別の手紙です。", head=bare))
    long = cells(mail(head=HEAD.replace(b"<1@", b"<" + b"1" * 200 + b"@")))
    assert first["番号"] == again["番号"] != other["番号"]
    assert all(len(found["番号"]) <= 100 and found["番号"].startswith("mail-") for found in (first, other, long))


# Parts


@pytest.mark.parametrize("coding", ["quoted-printable", "base64", "7bit", "8bit", "BASE64 ", "nonsense"], ids=count(1))
def test_every_transfer_encoding(cells, coding: str) -> None:
    data = LETTER.encode()
    if "base64" in coding.lower():
        data = base64.encodebytes(data)
    elif coding == "quoted-printable":
        data = "".join(f"={byte:02X}" if byte > 126 else chr(byte) for byte in data).replace("=E3=81", "=\r\n=E3=81").encode()
    assert cells(mail(data, coding=coding))["本文"] == LETTER


@pytest.mark.parametrize(
    ("data", "coding"),
    [
        (base64.b64encode(LETTER.encode())[:-5], "base64"),
        (b"@@@@" + base64.b64encode(LETTER.encode()), "base64"),
        (base64.b64encode(LETTER.encode())[:41], "base64"),
        (b"=E3=81=8", "quoted-printable"),
        (b"begin 644 a\n#86)C\n`\nend\n", "x-uuencode"),
    ],
    ids=count(1),
)
def test_broken_transfer_encodings_are_rejected(reject, data: bytes, coding: str) -> None:
    assert reject(mail(data, coding=coding)).code == "encoding"


def test_plain_text_goes_before_html_wherever_it_stands(cells) -> None:
    html, plain = part("<p>html</p>", "text/html; charset=utf-8"), part(LETTER)
    for parts in ((plain, html), (html, plain)):
        assert cells(HEAD + multi("alternative", *parts))["本文"] == LETTER


def test_an_empty_or_unreadable_plain_part_leaves_the_word_to_html(cells, reject) -> None:
    html = part("<p>道が<br>暗い</p>", "text/html; charset=utf-8")
    assert cells(HEAD + multi("alternative", part(" \r\n"), html))["本文"] == "道が\n暗い"
    assert cells(HEAD + multi("alternative", part(LETTER.encode()[:-1]), html))["本文"] == "道が\n暗い"
    assert reject(HEAD + multi("alternative", part(LETTER.encode()[:-1]))).code == "encoding"


def test_related_and_mixed_parts_are_found_in_each_other(cells) -> None:
    picture = part(base64.b64encode(b"x" * 30), 'image/png; name="a.png"', "Content-Transfer-Encoding: base64")
    related = multi("related", part("<b>道</b>が暗い", "text/html; charset=utf-8"), picture, boundary="rel")
    found = cells(HEAD + multi("mixed", multi("alternative", part(""), related, boundary="alt"), part("追伸です。")))
    assert found["本文"] == "道が暗い\n追伸です。"
    assert found["添付"] == "a.png（image/png、30 バイト）"


def test_html_takes_its_charset_from_its_own_head(cells) -> None:
    page = f'<html><head><meta charset="euc-jp"><title>x</title></head><body>{LETTER}</body></html>'.encode("euc_jp")
    assert cells(mail(page, "text/html"))["本文"] == LETTER.replace("\n", " ")


def test_attachments_are_listed_and_not_opened(cells) -> None:
    found = cells(
        HEAD
        + multi(
            "mixed",
            part(LETTER),
            part(base64.encodebytes(b"x" * 3000), "application/pdf", "Content-Transfer-Encoding: base64",
                 "Content-Disposition: attachment; filename*0*=utf-8''%E8%A6%8B%E5%8F%96;", " filename*1*=%E5%9B%B3.pdf"),
            part("x", "text/plain", f'Content-Disposition: attachment; filename="{word("写真".encode())}.txt"'),
            part("<p>x", "text/html", 'Content-Disposition: attachment; filename="図面.html"'),
            part("x", "text/csv"),
            part("x", "application/x-msdownload; name=run.exe"),
        )
    )  # fmt: skip
    assert found["本文"] == LETTER
    assert found["原文"] == f"{LETTER}\n\n添付:\n{found['添付']}"
    assert found["添付"].splitlines() == [
        "見取図.pdf（application/pdf、3,000 バイト）",
        "写真.txt（text/plain、1 バイト）",
        "図面.html（text/html、4 バイト）",
        "名前なし（text/csv、1 バイト）",
        "run.exe（application/x-msdownload、1 バイト）",
    ]


def test_a_mail_of_attachments_alone_is_rejected_and_says_so(reject) -> None:
    bad = reject(HEAD + multi("mixed", part("x", "application/pdf"), part("y", "image/png")))
    assert (bad.column, bad.code) == ("本文", "empty")
    assert "添付が 2 個" in bad.reason
    assert reject(mail("")).code == "empty"


def test_a_message_inside_stays_as_text_with_its_head(cells) -> None:
    inner = b"From: b@mail.example\r\nSubject: inner\r\nDate: Tue, 31 Mar 2026 10:00:00 +0900\r\n" + part(f"{LETTER}\r\n> 引用")
    found = cells(
        HEAD + multi("mixed", part("転送します。\r\n\r\n-- \r\n係"), part(inner, "message/rfc822", "Content-Disposition: attachment"))
    )
    assert found["本文"] == (
        f"転送します。\n\n----- 転送されたメール -----\n差出人: b@mail.example\n日時: 2026-03-31 10:00:00\n件名: inner\n\n{LETTER}\n> 引用"
    )
    assert "係" in found["原文"]
    assert cells(HEAD + part(inner, "message/rfc822"))["本文"].endswith("> 引用")


def test_a_delivery_report_says_what_its_text_says(cells) -> None:
    report = multi(
        "report", part("届きませんでした。"), part("Status: 5.1.1\r\n\r\n", "message/delivery-status"), part(HEAD, "message/rfc822")
    )
    assert cells(HEAD + report)["本文"] == "届きませんでした。"


def test_missing_boundaries(cells, reject) -> None:
    assert cells(mail(LETTER, "multipart/mixed"))["本文"] == LETTER
    assert cells(HEAD + multi("mixed", part(LETTER)).replace(b"--=_b1--", b""))["本文"] == LETTER
    assert reject(HEAD + multi("mixed", part(LETTER)).replace(b'boundary="=_b1"', b'boundary="other"')).code == "mail"


# Limits


def test_too_many_parts_and_too_deep_a_nesting_are_rejected(cells, reject) -> None:
    assert cells(HEAD + multi("mixed", *[part("あ")] * 900))["本文"].startswith("あ")
    assert reject(HEAD + multi("mixed", *[part("あ")] * 1001)).code == "mail"

    def nested(depth: int) -> bytes:
        content = part(LETTER)
        for level in range(depth):
            content = multi("mixed", content, boundary=f"b{level}")
        return HEAD + content

    assert cells(nested(20))["本文"] == LETTER
    for depth in (21, 200):
        bad = reject(nested(depth))
        assert (bad.code, "入れ子" in bad.reason) == ("mail", True)
    assert reject(HEAD + part(b"Content-Type: message/rfc822\r\n\r\n" * 3000 + b"x", "message/rfc822")).code == "mail"


def test_a_message_that_is_too_large_is_rejected_and_the_next_one_is_read(mail_rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail_message, "LARGEST", 2000)
    monkeypatch.setattr("ingest.mail.LARGEST", 2000)
    (only,) = mail_rows(mail("あ" * 2000))
    assert isinstance(only, RejectedRow)
    assert only.code == "mail"
    big, good = mail_rows(
        b"From - Wed Apr  1 10:00:00 2026\n" + mail("あ\n" * 2000) + b"\n\nFrom - Wed Apr  1 10:00:00 2026\n" + mail(), "a.mbox"
    )
    assert isinstance(big, RejectedRow)
    assert isinstance(good, Row)
    assert good.number == 2


def test_a_body_above_the_limit_of_a_cell_is_rejected(write: Write, tmp_path: Path) -> None:
    path = write(mail("あ" * 1001), "a.eml")
    (bad,) = open_mail(path).rows(needed=1, settings=Settings(home=tmp_path / "var", max_cell_chars=1000))
    assert isinstance(bad, RejectedRow)
    assert (bad.column, bad.code) == ("本文", "too_long")


def test_nul_is_rejected(reject) -> None:
    assert reject(mail("あ\0い")).code == "nul"


# Quotes and signatures


def test_what_is_cut_stays_in_the_last_column(cells) -> None:
    whole = f"{LETTER}\n\n> 引用です。\n\n-- \n見本"
    found = cells(mail(whole))
    assert (found["本文"], found["原文"]) == (LETTER, whole)
