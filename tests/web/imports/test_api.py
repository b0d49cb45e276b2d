"""What the import page does, as JSON."""

from __future__ import annotations

import json

from fastapi import FastAPI

from tests.web.browser import Browser
from tests.web.imports.pages import CSV, SQLITE, work


def test_the_same_as_json(app: FastAPI, staff: Browser) -> None:
    client = staff.client
    headers = {"X-CSRF-Token": client.get("/api/v1/session").json()["csrf_token"]}
    upload = client.post("/api/v1/imports/uploads?name=記録.csv", content=CSV, headers=headers).json()
    assert (upload["name"], upload["size"]) == ("記録.csv", len(CSV))
    here = f"/api/v1/imports/uploads/{upload['id']}"
    seen = client.get(here).json()
    assert (seen["encoding"], seen["columns"][3], seen["voices"], seen["rejects"], seen["problem"]) == ("cp932", "text", 2, 2, "")
    assert "段差" not in json.dumps(seen, ensure_ascii=False)
    assert client.post(f"{here}/check", json={"mapping": "none"}, headers=headers).status_code == 400
    assert client.post(f"{here}/check", json={"columns": ["text", "text"]}, headers=headers).json()["code"] == "input"
    job = client.post(f"{here}/check", json={}, headers=headers).json()
    assert (job["state"], job["kind"]) == ("queued", "import_check")
    work(app)
    tried = client.get(f"/api/v1/imports/jobs/{job['id']}").json()
    assert (tried["state"], tried["result"]["imported"], tried["result"]["codes"]) == ("done", 2, {"date": 1, "empty": 1})
    job = client.post(f"{here}/start", json={"columns": seen["columns"]}, headers=headers).json()
    work(app)
    batch_id = client.get(f"/api/v1/imports/jobs/{job['id']}").json()["batch_id"]
    (item,) = client.get("/api/v1/imports").json()["items"]
    assert (item["id"], item["read"], item["status"]) == (batch_id, 4, "done")
    assert client.get(f"/api/v1/imports/{batch_id}").json()["open_rejects"] == {"date": 1, "empty": 1}
    rejects = client.get(f"/api/v1/imports/{batch_id}/rejects?limit=1").json()
    assert [reject["code"] for reject in rejects["items"]] == ["date"]
    rest = client.get(f"/api/v1/imports/{batch_id}/rejects?after={rejects['next']}").json()
    assert ([reject["code"] for reject in rest["items"]], rest["next"]) == (["empty"], None)
    assert client.get("/api/v1/imports/999").status_code == 404
    assert client.post(f"/api/v1/imports/jobs/{job['id']}/cancel", headers=headers).json()["code"] == "conflict"


@SQLITE
def test_a_body_that_is_too_large_is_refused_as_json(app: FastAPI, staff: Browser) -> None:
    app.state.settings = app.state.settings.model_copy(update={"max_upload_mb": 1})
    headers = {"X-CSRF-Token": staff.client.get("/api/v1/session").json()["csrf_token"]}
    response = staff.client.post("/api/v1/imports/uploads?name=a.csv", content=bytes(2 << 20), headers=headers)
    assert (response.status_code, response.json()["code"]) == (413, "input")
    assert not any((app.state.settings.home).glob("uploads/*"))
