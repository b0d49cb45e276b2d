"""Mails become voices: the letter alone is shown and learnt from, the whole mail is sealed with the original."""

from __future__ import annotations

import json
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import Engine, select

from core import db
from core.crypto import Keyring
from core.models import Batch, Channel, Secret, Voice
from core.settings import PROJECT_ROOT
from tests.ingest.conftest import Take

MAILS = sorted((PROJECT_ROOT / "data/sample/mail").glob("*.eml"))


def mailbox(path: Path) -> Path:
    """The sample's mails as one mbox file."""
    path.write_bytes(b"\n".join(b"From sample Thu Jan  1 00:00:00 2026\n" + mail.read_bytes() + b"\n" for mail in MAILS))
    return path


def original(engine: Engine, keyring: Keyring, voice_id: int) -> dict[str, str]:
    with db.reading(engine) as session:
        secret = session.scalars(select(Secret).where(Secret.voice_id == voice_id, Secret.field == "original")).one()
        opened: dict[str, str] = json.loads(keyring.open(secret.sealed, place=secret.place))
    return opened


def test_a_mailbox_is_taken_in_once(engine: Engine, take: Take, tmp_path: Path) -> None:
    path = mailbox(tmp_path / "inbox.mbox")
    report = take(engine, path)
    assert (report.read, report.imported, report.rejected) == (40, 40, 0)
    with db.reading(engine) as session:
        assert set(session.scalars(select(Voice.channel))) == {Channel.EMAIL}
        assert session.scalar(select(Batch.encoding)) == "mail"
        texts = session.scalars(select(Voice.text)).all()
    assert not any(line.startswith((">", "-- ")) for text in texts for line in text.splitlines())
    again = take(engine, path)
    assert (again.read, again.imported, again.duplicates) == (40, 0, 40)
    single = take(engine, MAILS[0])
    assert (single.imported, single.duplicates) == (0, 1)


def test_what_is_cut_and_what_hangs_on_it_stay_with_the_original(engine: Engine, take: Take, keyring: Keyring, tmp_path: Path) -> None:
    message = EmailMessage()
    message["From"], message["Date"], message["Subject"] = "ichiro@city.example", "Mon, 02 Nov 2026 10:00:00 +0900", "歩道の段差"
    message["Message-ID"] = "<1@city.example>"
    message.set_content("中央公園の前の歩道に段差があります。\n直してください。\n\n-- \n汐見ハイツ\n> 前のお返事\n")
    message.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="dansa.png")
    path = tmp_path / "one.eml"
    path.write_bytes(message.as_bytes())
    assert take(engine, path).imported == 1
    with db.reading(engine) as session:
        voice = session.scalars(select(Voice)).one()
    assert voice.text == "中央公園の前の歩道に段差があります。\n直してください。"
    sealed = original(engine, keyring, voice.id)["text"]
    assert sealed.startswith("中央公園の前の歩道に段差があります。")
    assert "汐見ハイツ" in sealed
    assert "前のお返事" in sealed
    assert "dansa.png" in sealed
