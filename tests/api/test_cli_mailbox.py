from __future__ import annotations

import json
from pathlib import Path

from tests.api.conftest import Koe, refused
from tests.imap_server import PASSWORD, ImapServer
from tests.ingest.mails import mail


def test_mails_are_fetched_once(koe: Koe, tmp_path: Path) -> None:
    with ImapServer(tmp_path) as server:
        server.deliver(mail())
        given = {"KOE_IMAP_URL": server.url, "KOE_IMAP_PASSWORD": PASSWORD, "KOE_IMAP_CA_FILE": str(server.authority)}
        first = koe("mailbox", "fetch", **given)
        assert first.exit_code == 0, first.output
        assert "読込 1 ＝ 取込 1 ＋ 重複 0 ＋ 取込不可 0" in first.stdout
        assert "新しいメールはありません" in koe("mailbox", "fetch").stdout
        said = json.loads(koe("mailbox", "fetch", "--json").stdout)
        assert (said["batch"], said["read"], said["moved"]) == (None, 0, 0)
        assert "「ない」" in refused(koe("mailbox", "fetch", "--move-to", "ない"))
    assert "つながりません" in refused(koe("mailbox", "fetch"))


def test_a_server_must_be_named(koe: Koe) -> None:
    assert "KOE_IMAP_URL" in refused(koe("mailbox", "fetch"))
