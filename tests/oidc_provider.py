"""A real OpenID provider (oidc-provider-mock) in a process of its own, and what a person does there."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

import httpx

from core.settings import Settings
from tests.api.processes import Started, free_port, wait_until

CLIENT = "koenowa"


class OidcProvider:
    """``with OidcProvider(folder) as provider``: answers at ``provider.address``, which is also its issuer."""

    def __init__(self, folder: Path, *, port: int = 0, max_age: int = 3600) -> None:
        self.port = port or free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        options = ("--port", str(self.port), "--require-nonce", "true", "--token-max-age", str(max_age))
        self._started = Started("oidc-provider-mock", *options, log=folder / f"oidc_{self.port}.log")

    def __enter__(self) -> Self:
        wait_until(self._answers, alive=self._started)
        return self

    def __exit__(self, *_: object) -> None:
        self._started.kill()

    def settings(self, home: Path, **values: Any) -> Settings:
        given = {"oidc_issuer": self.address, "oidc_client_id": CLIENT, "oidc_client_secret": "geheim", **values}
        return Settings(home=home, engine="serial", **given)

    def has(self, subject: str, **claims: object) -> None:
        """Makes a person known, or changes what is said of one."""
        httpx.put(f"{self.address}/users/{quote(subject)}", json=claims).raise_for_status()

    def let(self, address: str, subject: str) -> str:
        """Signs a person in at the page that ``address`` leads to; gives where the browser is sent back to."""
        return self._answer(address, {"sub": subject})

    def refuse(self, address: str) -> str:
        """The person doesn't agree."""
        return self._answer(address, {"action": "deny"})

    def token(
        self, subject: str, *, client: str = CLIENT, nonce: str = "n", issuer: str = "", scope: str = "openid profile"
    ) -> dict[str, Any]:
        """What the token endpoint gives for a person. ``issuer``: whose name it signs with, when asked under another's."""
        back = "http://testserver/back"
        asked = {"response_type": "code", "client_id": client, "redirect_uri": back, "scope": scope, "nonce": nonce, "state": "s"}
        code = httpx.URL(self._answer(str(httpx.URL(f"{self.address}/oauth2/authorize", params=asked)), {"sub": subject})).params["code"]
        headers = {"Host": issuer.partition("//")[2]} if issuer else {}
        sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": back}
        answer = httpx.post(f"{self.address}/oauth2/token", data=sent, auth=(client, "geheim"), headers=headers)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def _answer(self, address: str, fields: dict[str, str]) -> str:
        assert address.startswith(self.address)
        answer = httpx.post(address, data=fields)
        assert answer.status_code == 302, answer.text[:500]
        return answer.headers["location"]

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/.well-known/openid-configuration").status_code == 200
        except httpx.TransportError:
            return False
