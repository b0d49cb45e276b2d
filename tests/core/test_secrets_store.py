from __future__ import annotations

import json

import pytest
from sqlalchemy import Engine, select

from core import audit, db
from core.crypto import Keyring, new_key
from core.errors import DecryptionError
from core.models import AuditEntry, CaseFile, CaseNote, Reject, Secret
from core.secrets_store import reseal_all
from tests.factories import create_batch, create_file, create_note, create_secret, create_user, create_voice

OLD, NEW = new_key(), new_key()
OLD_RING = Keyring({"k1": OLD}, current="k1")
BOTH = Keyring({"k1": OLD, "k2": NEW}, current="k2")
NEW_RING = Keyring({"k2": NEW}, current="k2")
NOTE, FILE = "川北葉子さんに電話した。", b"%PDF-1.7\n\xff\x00"
ROW = json.dumps(["電話", "港町一郎\ud83d"])


@pytest.fixture
def filled(engine: Engine) -> Engine:
    """Voices with sealed originals (one with contacts), a row that could not be taken, notes of which one is sealed, and an attachment."""
    with db.writing(engine) as session:
        create_secret(session, create_voice(session), OLD_RING)
        create_secret(session, create_voice(session), OLD_RING, text="前\ud83d後", name="港町一郎")
        reject = Reject(batch_id=create_batch(session).id, row=3, code="no_text", reason="本文が空です。", sealed_row=b"")
        reject.sealed_row = OLD_RING.seal(ROW, place=reject.place)
        session.add(reject)
        voice, user = create_voice(session), create_user(session)
        create_note(session, voice, user, OLD_RING)
        create_note(session, voice, user, OLD_RING, written=NOTE)
        create_file(session, voice, user, OLD_RING, content=FILE)
    return engine


def opened(engine: Engine, keyring: Keyring) -> list[str]:
    with db.reading(engine) as session:
        secrets = [keyring.open(secret.sealed, place=secret.place) for secret in session.scalars(select(Secret).order_by(Secret.id))]
        rows = [keyring.open(reject.sealed_row, place=reject.place) for reject in session.scalars(select(Reject))]
        notes = [keyring.open(note.sealed, place=note.place) for note in session.scalars(select(CaseNote)) if note.sealed]
        files = [keyring.open_bytes(file.sealed, place=file.place).hex() for file in session.scalars(select(CaseFile))]
        return secrets + rows + notes + files


def test_after_resealing_the_old_key_is_not_needed(filled: Engine) -> None:
    before = opened(filled, OLD_RING)
    with db.writing(filled) as session:
        assert reseal_all(session, BOTH, actor="test") == 6
    assert opened(filled, NEW_RING) == before
    assert before[-3:] == [ROW, NOTE, FILE.hex()]
    with db.reading(filled) as session:
        assert {key for table in (Secret, CaseFile) for key in session.scalars(select(table.key_id))} == {"k2"}
        assert sorted(session.scalars(select(CaseNote.key_id))) == ["", "k2"]
        entry = session.scalars(select(AuditEntry)).one()
        assert (entry.actor, entry.action, entry.subject, entry.detail) == ("test", "keys.rotate", "key:k2", {"records": 6})
        assert audit.verify(session).broken_at is None


def test_a_second_time_there_is_nothing_to_do(filled: Engine) -> None:
    for expected in (6, 0):
        with db.writing(filled) as session:
            assert reseal_all(session, BOTH, actor="test") == expected


def test_one_record_that_cannot_be_opened_stops_all(filled: Engine) -> None:
    with db.writing(filled) as session:
        last = session.scalars(select(Secret).order_by(Secret.id.desc())).first()
        assert last is not None
        last.sealed = last.sealed[:-1] + bytes((last.sealed[-1] ^ 1,))
    with pytest.raises(DecryptionError), db.writing(filled) as session:
        reseal_all(session, BOTH, actor="test")
    with db.reading(filled) as session:
        assert set(session.scalars(select(Secret.key_id))) == {"k1"}
        assert session.scalars(select(AuditEntry)).all() == []
