from __future__ import annotations

import json
from pathlib import Path

from tests.api.conftest import Koe, refused

ENTRY = "F-1,粗大ごみの申込み方法を教えてください。"
LOG = f"番号,質問,参照回数,対象月\n{ENTRY},300,2026-04\n{ENTRY},280,2026-05\n"


def test_what_residents_look_up(koe: Koe, tmp_path: Path) -> None:
    assert "この期間の FAQ の参照回数はありません" in koe("faq", "list").stdout
    path = tmp_path / "faq.csv"
    path.write_text(LOG, "utf-8")
    taken = koe("import", "--json", path)
    assert taken.exit_code == 0, taken.output
    assert json.loads(taken.stdout)["imported"] == 2
    page = koe("faq", "list").stdout
    assert "280 回" in page
    assert "-20" in page
    said = json.loads(koe("faq", "list", "--since", "2026-04", "--until", "2026-05", "--json").stdout)
    assert (said["since"], said["until"], said["views"]) == ("2026-04-01", "2026-05-31", 580)
    assert said["compared_with"] == {"since": "2026-02-01", "until": "2026-03-31"}
    assert said["entries"][0] | {"question": ""} == {
        "number": "F-1", "question": "", "theme": said["themes"][0]["theme"], "department": said["entries"][0]["department"],
        "views": 580, "previous": None, "change": None,
    }  # fmt: skip
    assert "いつか" in refused(koe("faq", "list", "--since", "いつか"))


def test_a_period_that_is_given_on_the_command_line(koe: Koe, tmp_path: Path) -> None:
    path = tmp_path / "faq.csv"
    path.write_text("質問,4月,5月\n駐輪場はどこですか。,5,6\n", "utf-8")
    assert "--period" in refused(koe("import", path))
    assert "いつか" in refused(koe("import", path, "--period", "いつか"))
    assert koe("import", path, "--period", "令和8年度").exit_code == 0
    assert json.loads(koe("faq", "list", "--json").stdout)["until"] == "2026-05-31"
