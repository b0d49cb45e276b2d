from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.errors import SettingsError
from core.settings import PROJECT_ROOT, Settings, get_settings

VALUES: dict[str, tuple[str, Any]] = {
    "home": ("/srv/koe", Path("/srv/koe")),
    "database_url": ("postgresql://db/koe", "postgresql://db/koe"),
    "data": ("/srv/data", Path("/srv/data")),
    "taxonomy": ("/srv/city", Path("/srv/city")),
    "keys": ("k1:abc", "k1:abc"),
    "engine": ("dask://calc1:8786", "dask://calc1:8786"),
    "engine_wait": ("300", 300),
    "workers": ("3", 3),
    "queue": ("redis://queue:6379/0", "redis://queue:6379/0"),
    "log_level": ("warning", "warning"),
    "host": ("192.0.2.1", "192.0.2.1"),
    "port": ("8080", 8080),
    "session_hours": ("4", 4),
    "secure_cookies": ("true", True),
    "low_confidence": ("0.75", 0.75),
    "max_cell_chars": ("5000", 5000),
    "max_upload_mb": ("64", 64),
    "attachment_mb": ("50", 50),
    "upload_days": ("3", 3),
    "imap_url": ("imaps://kocho@mail.city.example/INBOX", "imaps://kocho@mail.city.example/INBOX"),
    "imap_password": ("geheim", "geheim"),
    "imap_password_file": ("/etc/koenowa/imap", Path("/etc/koenowa/imap")),
    "imap_ca_file": ("/etc/ssl/city-ca.pem", Path("/etc/ssl/city-ca.pem")),
    "mail_url": ("smtp://mail.city.example:25", "smtp://mail.city.example:25"),
    "mail_from": ("広聴課 <kocho@city.example>", "広聴課 <kocho@city.example>"),
    "mail_ca_file": ("/etc/ssl/city-ca.pem", Path("/etc/ssl/city-ca.pem")),
    "base_url": ("https://koe.city.example", "https://koe.city.example"),
    "digest_time": ("08:15", "08:15"),
    "oidc_issuer": ("https://sso.city.example/realms/staff", "https://sso.city.example/realms/staff"),
    "oidc_client_id": ("koe", "koe"),
    "oidc_client_secret": ("geheim", "geheim"),
    "oidc_ca_file": ("/etc/ssl/city-ca.pem", Path("/etc/ssl/city-ca.pem")),
    "oidc_label": ("庁内認証でログイン", "庁内認証でログイン"),
    "oidc_scopes": ("openid email", "openid email"),
    "oidc_username_claim": ("employee_id", "employee_id"),
    "oidc_role_claim": ("koenowa_role", "koenowa_role"),
    "oidc_department_claim": ("department", "department"),
    "oidc_position_claim": ("title", "title"),
    "rate_sign_in": ("600/5minute", "600/5minute"),
    "rate_account": ("10/15minute", "10/15minute"),
    "rate_public": ("1200/minute", "1200/minute"),
    "rate_search": ("1/second", "1/second"),
    "rate_export": ("30/hour", "30/hour"),
    "rate_key": ("none", "none"),
}
BAD = [
    ("KOE_BASE_URL", "koe.city.example"),
    ("KOE_BASE_URL", "https://koe.city.example/?a=b"),
    ("KOE_DIGEST_TIME", "8:15"),
    ("KOE_DIGEST_TIME", "24:00"),
    ("KOE_ENGINE", "threads"),
    ("KOE_ENGINE", "dask://calc1"),
    ("KOE_ENGINE", "tcp://calc1:8786"),
    ("KOE_ENGINE_WAIT", "0"),
    ("KOE_ENGINE_WAIT", "3601"),
    ("KOE_OIDC_ISSUER", "sso.city.example"),
    ("KOE_OIDC_ISSUER", "http://sso.city.example"),
    ("KOE_OIDC_LABEL", "長" * 31),
    ("KOE_OIDC_SCOPES", "profile"),
    ("KOE_QUEUE", "amqp://queue"),
    ("KOE_RATE_KEY", "0/minute"),
    ("KOE_RATE_PUBLIC", "600"),
    ("KOE_RATE_SEARCH", "10/day"),
    ("KOE_WORKERS", "-1"),
    ("KOE_WORKERS", "257"),
    ("KOE_WORKERS", "二"),
    ("KOE_LOG_LEVEL", "loud"),
    ("KOE_PORT", "0"),
    ("KOE_PORT", "65536"),
    ("KOE_PORT", "http"),
    ("KOE_SESSION_HOURS", "0"),
    ("KOE_SESSION_HOURS", "169"),
    ("KOE_SECURE_COOKIES", "maybe"),
    ("KOE_LOW_CONFIDENCE", "1.5"),
    ("KOE_LOW_CONFIDENCE", "-0.1"),
    ("KOE_MAX_CELL_CHARS", "999"),
    ("KOE_MAX_UPLOAD_MB", "0"),
    ("KOE_MAX_UPLOAD_MB", "10241"),
    ("KOE_UPLOAD_DAYS", "0"),
    ("KOE_UPLOAD_DAYS", "366"),
]


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_every_setting_has_a_case_here() -> None:
    assert set(VALUES) == set(Settings.model_fields)


@pytest.mark.parametrize("name", VALUES)
def test_a_variable_sets_the_field_of_its_name(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    text, value = VALUES[name]
    monkeypatch.setenv(f"KOE_{name.upper()}", text)
    assert getattr(get_settings(), name) == value


@pytest.mark.parametrize("name", VALUES)
def test_an_empty_variable_counts_as_not_given(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"KOE_{name.upper()}", "")
    assert getattr(get_settings(), name) == Settings.model_fields[name].default


@pytest.mark.parametrize(("variable", "value"), BAD)
def test_a_value_that_cannot_be_used_is_named(variable: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=variable) as caught:
        get_settings()
    assert "docs/settings.md" in caught.value.hint


def test_all_wrong_variables_are_named_at_once_without_their_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KOE_PORT", "秘密のポート")
    monkeypatch.setenv("KOE_ENGINE", "thread")
    with pytest.raises(SettingsError, match=r"KOE_ENGINE.*KOE_PORT") as caught:
        get_settings()
    assert "秘密" not in str(caught.value)


def test_a_secret_file_sets_what_no_variable_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    monkeypatch.setenv("KOE_PORT", "8080")
    for name, value in (("koe_keys", "k1:abc\n"), ("koe_port", "9999"), ("other", "x")):
        (tmp_path / name).write_text(value)
    found = get_settings()
    assert (found.keys, found.port) == ("k1:abc", 8080)


def test_a_secret_file_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "koe_keys").write_bytes(b"k1:abc\xff")
    with pytest.raises(SettingsError, match=str(tmp_path)) as caught:
        get_settings()
    assert "abc" not in str(caught.value)


def test_the_places_that_follow_from_the_others(tmp_path: Path) -> None:
    plain = Settings(home=tmp_path)
    assert plain.url == f"sqlite:///{tmp_path / 'koenowa.db'}"
    assert plain.models_dir == tmp_path / "models"
    assert plain.taxonomy_dir == PROJECT_ROOT / "data/taxonomy"
    assert Settings(home=tmp_path, database_url="postgresql://x/y").url == "postgresql://x/y"
    assert Settings(data=tmp_path / "data").taxonomy_dir == tmp_path / "data/taxonomy"
    assert Settings(taxonomy=tmp_path / "city").taxonomy_dir == tmp_path / "city"


def test_the_keys_are_not_printed_with_the_settings() -> None:
    assert "topsecret" not in repr(Settings(keys="k1:topsecret"))


def test_every_setting_says_what_it_is_for() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_the_address_of_the_pages() -> None:
    assert Settings(host="10.0.0.5", port=8080).address == "http://10.0.0.5:8080"
    assert Settings(base_url="https://koe.city.example/").address == "https://koe.city.example"
