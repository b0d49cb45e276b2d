"""Asking a real OpenID provider, in a process of its own: which tokens are believed, and whom they are asked of."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import certifi
import pytest

from api.oidc import Provider, load
from core.errors import CitySignInError, SettingsError
from core.settings import Settings
from tests.imap_server import certificate
from tests.oidc_provider import CLIENT, OidcProvider


def tokens_of(provider: OidcProvider, tmp_path: Path) -> Provider:
    return Provider(provider.settings(tmp_path))


def test_a_token_is_taken_only_from_this_issuer_for_us_and_this_attempt(provider: OidcProvider, tmp_path: Path) -> None:
    ours = tokens_of(provider, tmp_path)
    provider.has("hanako", preferred_username="hanako")
    good = provider.token("hanako")
    assert ours.check(good, nonce="n")["sub"] == "hanako"
    with OidcProvider(tmp_path) as other, OidcProvider(tmp_path, max_age=-300) as late:
        forged = other.token("hanako", issuer=provider.address)
        bad = {
            "for somebody else": (ours, provider.token("hanako", client="another"), "n"),
            "another attempt's": (ours, good, "m"),
            "another issuer's": (ours, other.token("hanako"), "n"),
            "signed by another key": (ours, forged, "n"),
            "out of date": (tokens_of(late, tmp_path), late.token("hanako"), "n"),
            "none": (ours, {**good, "id_token": ""}, "n"),
            "unsigned": (ours, {**good, "id_token": unsigned(good["id_token"])}, "n"),
            "another's access token": (ours, {**good, "access_token": "x"}, "n"),
        }
        told = {}
        for name, (which, token, nonce) in bad.items():
            with pytest.raises(CitySignInError) as refused:
                which.check(token, nonce=nonce)
            told[name] = (refused.value.status, refused.value.code)
        assert told == dict.fromkeys(bad, (502, "oidc_token"))
        assert Provider(other.settings(tmp_path)).check(other.token("hanako"), nonce="n")["sub"] == "hanako"


def unsigned(token: str) -> str:
    """The same with ``"alg": "none"``."""
    return f"eyJhbGciOiJub25lIn0.{token.split('.')[1]}."


def test_keys_that_have_changed_are_asked_for_again(tmp_path: Path) -> None:
    with OidcProvider(tmp_path) as first:
        ours = tokens_of(first, tmp_path)
        ours.check(first.token("hanako"), nonce="n")
    with OidcProvider(tmp_path, port=first.port) as again:
        assert ours.check(again.token("hanako"), nonce="n")["sub"] == "hanako"


def test_what_the_id_token_leaves_out_is_asked_for(provider: OidcProvider, tmp_path: Path) -> None:
    ours = tokens_of(provider, tmp_path)
    provider.has("jiro")
    token = provider.token("jiro")
    assert "preferred_username" not in ours.check(token, nonce="n")
    provider.has("jiro", preferred_username="jiro")
    assert ours.check(token, nonce="n")["preferred_username"] == "jiro"
    provider.has("saburo", preferred_username="jiro")
    with pytest.raises(CitySignInError):
        ours.check({"id_token": token["id_token"], "access_token": provider.token("saburo")["access_token"]}, nonce="n")


def test_a_server_that_is_another_issuer_is_not_asked(provider: OidcProvider, tmp_path: Path) -> None:
    named = provider.address.replace("127.0.0.1", "localhost")
    ours = Provider(provider.settings(tmp_path, oidc_issuer=f"{named}/"))
    with pytest.raises(CitySignInError, match="つながりません"):
        ours.begin(back="http://testserver/back")


def test_the_servers_certificate_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority, key = certificate(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", certifi.where())
    with encrypted(authority, key) as (issuer, _):
        given = {"home": tmp_path, "oidc_issuer": issuer, "oidc_client_id": CLIENT}
        with pytest.raises(CitySignInError, match="つながりません"):
            Provider(Settings(**given)).metadata()
        assert Provider(Settings(**given, oidc_ca_file=authority)).metadata()["issuer"] == issuer


def test_the_code_is_traded_with_what_only_we_know(tmp_path: Path) -> None:
    """A provider that checks PKCE compares the verifier with the challenge; the one that the other tests use doesn't."""
    authority, key = certificate(tmp_path)
    with encrypted(authority, key) as (issuer, sent):
        given = {"home": tmp_path, "oidc_issuer": issuer, "oidc_client_id": CLIENT, "oidc_ca_file": authority}
        for secret in ("geheim", ""):
            ours = Provider(Settings(**given, oidc_client_secret=secret))
            address, attempt = ours.begin(back="https://koe.city.example/back")
            challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
            assert parse_qs(urlsplit(address).query)["code_challenge"] == [challenge]
            with pytest.raises(CitySignInError, match="確かめられません"):
                ours.identify(attempt, code="c", back="https://koe.city.example/back")
            form, authorization = sent.pop()
            assert (form["code_verifier"], form["code"]) == ([attempt.verifier], ["c"])
            assert form["redirect_uri"] == ["https://koe.city.example/back"]
            assert authorization.startswith("Basic ") is bool(secret)
            assert form.get("client_id") == (None if secret else [CLIENT])


@contextmanager
def encrypted(authority: Path, key: Path) -> Iterator[tuple[str, list[tuple[dict[str, list[str]], str]]]]:
    """A server that says of itself over TLS what a provider would, and takes no code; gives its address and what is sent to it."""
    sent: list[tuple[dict[str, list[str]], str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
            self.answer(200, {"issuer": address, **dict.fromkeys(names, f"{address}/x")})

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            sent.append((parse_qs(form), self.headers.get("Authorization", "")))
            self.answer(400, {"error": "invalid_grant"})

        def answer(self, status: int, content: dict[str, str]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that doesn't trust the certificate hangs up, which is what is asked for."""

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority, key)
    with Server(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        address = f"https://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield address, sent
        server.shutdown()
        thread.join()


def test_settings_that_lack_something(tmp_path: Path) -> None:
    issuer = {"home": tmp_path, "oidc_issuer": "https://sso.city.example"}
    with pytest.raises(SettingsError, match="KOE_OIDC_CLIENT_ID"):
        load(Settings(**issuer))
    with pytest.raises(SettingsError, match="KOE_OIDC_CA_FILE"):
        load(Settings(**issuer, oidc_client_id="koe", oidc_ca_file=tmp_path / "none.pem"))
