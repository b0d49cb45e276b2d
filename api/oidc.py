"""Talking to the city's own sign-in: OpenID Connect, the authorization code flow with PKCE (OpenID Connect Core 1.0, RFC 7636).

Authlib sends and checks; here stands what is asked for, and what of the answers is believed.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from core.errors import CitySignInError, SettingsError
from core.settings import Settings

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

_log = logging.getLogger("koenowa.oidc")
_PATIENCE = 5.0  # seconds for each answer: the person waits, and so does a thread
_LEEWAY = 60  # seconds by which two clocks may differ
# What is signed with a secret that both sides know (HS256), or not at all, proves nothing of who has signed.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One way to the city's sign-in and back: what must be kept from the one to the other, and told to nobody."""

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class Identity:
    """Whom the city's sign-in vouches for: ``mark`` is the same for the same person of the same issuer, and tells nothing else."""

    mark: str
    claims: Mapping[str, Any]


class Provider:
    """The city's sign-in. Nothing is asked of it before the first person wants to come in; what it says of itself is kept."""

    def __init__(self, settings: Settings) -> None:
        self.issuer = settings.oidc_issuer
        self.client_id = settings.oidc_client_id
        self.label = settings.oidc_label
        self._settings = settings
        # Said with each request: requests puts a variable of its own (REQUESTS_CA_BUNDLE) before what a session says.
        self._verify = str(settings.oidc_ca_file) if settings.oidc_ca_file else True
        self._metadata: Mapping[str, Any] | None = None
        self._keys: Mapping[str, Any] | None = None

    def begin(self, *, back: str) -> tuple[str, Attempt]:
        """Where to send the browser, and what to keep until it comes ``back``.

        Raises:
            CitySignInError: the sign-in's server can't be reached.
        """
        attempt = Attempt(state=secrets.token_urlsafe(32), nonce=secrets.token_urlsafe(32), verifier=secrets.token_urlsafe(48))
        at = self.metadata()["authorization_endpoint"]
        with self._client(back=back) as client:
            address, _ = client.create_authorization_url(at, state=attempt.state, nonce=attempt.nonce, code_verifier=attempt.verifier)
        return str(address), attempt

    def identify(self, attempt: Attempt, *, code: str, back: str) -> Identity:
        """Trades the code that the browser brought for an ID token, and gives whom it names.

        Raises:
            CitySignInError: the server can't be reached, refuses the code, or its token can't be trusted.
        """
        from authlib.integrations.base_client import OAuthError

        at = self.metadata()["token_endpoint"]
        with self._client(back=back) as client:
            try:
                token = client.fetch_token(
                    at, code=code, grant_type="authorization_code", code_verifier=attempt.verifier, verify=self._verify
                )
            except OAuthError as error:
                raise self._untrusted("code", error) from None
            except OSError as error:  # what requests raises, too
                raise self._unreachable("token", error) from None
            except ValueError as error:
                raise self._untrusted("token", error) from None
        claims = self.check(token, nonce=attempt.nonce)
        return Identity(self.mark_of(claims["sub"]), claims)

    def check(self, token: Mapping[str, Any], *, nonce: str) -> dict[str, Any]:
        """What an answer of the token endpoint says of the person, once its ID token has been checked.

        Raises:
            CitySignInError: it isn't signed by the issuer, isn't for us or this attempt, or is out of date.
        """
        from authlib.oidc.core import CodeIDToken
        from joserfc.errors import JoseError

        options = {"iss": {"essential": True, "value": self.issuer}, "aud": {"essential": True, "value": self.client_id}}
        params = {"nonce": nonce, "client_id": self.client_id, "access_token": token.get("access_token")}
        try:
            said = self._signed(str(token.get("id_token", "")))
            claims = CodeIDToken(said.claims, said.header, options, params)
            claims.validate(leeway=_LEEWAY)
        except (JoseError, ValueError, KeyError, TypeError) as error:
            raise self._untrusted("id_token", error) from None
        if not isinstance(claims["sub"], str) or not claims["sub"]:
            raise self._untrusted("id_token", ValueError("sub"))
        return self._with_profile(dict(claims), token)

    def mark_of(self, subject: str) -> str:
        """What is kept of a person's number at this issuer."""
        return hashlib.sha256(f"{self.issuer}\n{subject}".encode("utf-8", "surrogatepass")).hexdigest()

    def leave(self, *, back: str) -> str:
        """Where to send the browser to leave the city's sign-in too, or nothing where it offers no such place.

        No token is kept that could be shown there, so the server may ask the person first (OpenID Connect RP-Initiated Logout 1.0).

        Raises:
            CitySignInError: the server can't be reached.
        """
        from authlib.common.urls import add_params_to_uri

        at = self.metadata().get("end_session_endpoint")
        wanted = {"client_id": self.client_id, "post_logout_redirect_uri": back}
        return str(add_params_to_uri(at, wanted)) if _is_address(at) else ""

    def metadata(self) -> Mapping[str, Any]:
        """What the server says of itself (OpenID Connect Discovery 1.0).

        Raises:
            CitySignInError: it can't be reached, or is another issuer.
        """
        if self._metadata is None:
            found = self._fetch(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
            if found.get("issuer") != self.issuer or not all(_is_address(found.get(name)) for name in _ENDPOINTS):
                raise self._unreachable("discovery", ValueError("issuer or endpoints"))
            self._metadata = found
        return self._metadata

    def _signed(self, id_token: str) -> Any:
        """The token, its signature checked. Keys may have changed since they were kept: they are asked for once more before it fails."""
        from joserfc import jwt
        from joserfc.errors import BadSignatureError, InvalidKeyIdError
        from joserfc.jwk import KeySet
        from joserfc.jws import JWSRegistry

        # Servers add headers of their own, which say nothing to us.
        registry = JWSRegistry(algorithms=list(_ALGORITHMS), strict_check_header=False)
        keys = self._keys
        if keys is not None:
            with suppress(BadSignatureError, InvalidKeyIdError):
                return jwt.decode(id_token, KeySet.import_key_set(cast("Any", keys)), registry=registry)
        self._keys = keys = self._fetch(self.metadata()["jwks_uri"])
        return jwt.decode(id_token, KeySet.import_key_set(cast("Any", keys)), registry=registry)

    def _with_profile(self, claims: dict[str, Any], token: Mapping[str, Any]) -> dict[str, Any]:
        """Adds what the server tells only when it is asked; of the same person alone."""
        wanted = {
            self._settings.oidc_username_claim,
            self._settings.oidc_role_claim,
            self._settings.oidc_department_claim,
            self._settings.oidc_position_claim,
        }
        at = self.metadata().get("userinfo_endpoint")
        if wanted - {""} <= claims.keys() or not _is_address(at) or not token.get("access_token"):
            return claims
        found = self._fetch(at, token=token)
        if found.get("sub") != claims["sub"]:
            raise self._untrusted("userinfo", ValueError("sub"))
        return {**found, **claims}

    def _fetch(self, address: str, *, token: Mapping[str, Any] | None = None) -> Mapping[str, Any]:
        from authlib.integrations.base_client import OAuthError

        with self._client(token=token) as client:
            try:
                answer = client.get(address, withhold_token=token is None, verify=self._verify)
                answer.raise_for_status()
                found = answer.json()
            # What requests raises is an OSError or, for no JSON, a ValueError; the library's own is of a token that it won't send.
            except (OSError, ValueError, OAuthError) as error:
                raise self._unreachable(address.rpartition("/")[2], error) from None
        if not isinstance(found, dict):
            raise self._unreachable(address.rpartition("/")[2], TypeError("no object"))
        return found

    def _client(self, *, back: str = "", token: Mapping[str, Any] | None = None) -> OAuth2Session:
        from authlib.integrations.requests_client import OAuth2Session

        settings = self._settings
        return OAuth2Session(
            client_id=self.client_id,
            client_secret=settings.oidc_client_secret or None,
            scope=settings.oidc_scopes,
            redirect_uri=back or None,
            code_challenge_method="S256",
            token=token,
            default_timeout=_PATIENCE,
            leeway=0,  # a token is used in the moment in which it comes
        )

    def _unreachable(self, what: str, error: Exception) -> CitySignInError:
        _log.warning("the city's sign-in can't be used: %s, %s", what, type(error).__name__)
        return CitySignInError(
            "市の認証につながりません。", hint="しばらくしてから、もう一度お試しください。続くときは管理者に知らせてください。"
        )

    def _untrusted(self, what: str, error: Exception) -> CitySignInError:
        # What went wrong is named by its kind alone: an error's text may hold what it is about.
        _log.warning("an answer of the city's sign-in was refused: %s, %s", what, type(error).__name__)
        hint = "もう一度ログインしてください。続くときは管理者に知らせてください。"
        refused = CitySignInError("市の認証からの答えを確かめられませんでした。", hint=hint, code="oidc_token")
        refused.status = 502
        return refused


def load(settings: Settings) -> Provider | None:
    """The city's sign-in where one is set; nothing is asked of it yet.

    Raises:
        SettingsError: what it needs beside its address is missing.
    """
    if not settings.oidc_issuer:
        return None
    if not settings.oidc_client_id:
        raise SettingsError("KOE_OIDC_CLIENT_ID がありません。", hint="市の認証に登録した声環の名前を書いてください。")
    if settings.oidc_ca_file and not settings.oidc_ca_file.is_file():
        raise SettingsError("KOE_OIDC_CA_FILE のファイルがありません。", hint="場所と権限を確かめてください。")
    return Provider(settings)


def _is_address(found: object) -> TypeGuard[str]:
    return isinstance(found, str) and found.startswith(("https://", "http://"))
