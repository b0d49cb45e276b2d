"""All settings, read from ``KOE_*`` variables; docs/settings.md lists them and a test compares."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.exceptions import SettingsError as SourceError

from core.errors import SettingsError

PROJECT_ROOT = Path(__file__).resolve().parent.parent
NO_LIMIT = "none"
_RATE = r"^(none|[1-9]\d{0,6}/([1-9]\d{0,3})?(second|minute|hour))$"


class Settings(BaseSettings):
    """One process's settings. Every field is a ``KOE_`` variable of the same name; an empty one counts as not given."""

    model_config = SettingsConfigDict(env_prefix="KOE_", env_ignore_empty=True, extra="ignore", frozen=True)

    home: Path = Field(default=Path("var"), description="モデル・鍵・データベース・アップロードを置くフォルダ")
    database_url: str = Field(
        default="",
        description="SQLAlchemy の接続先。空なら KOE_HOME の koenowa.db（SQLite）。PostgreSQL は postgresql+psycopg://…",
    )
    data: Path = Field(default=PROJECT_ROOT / "data", description="分類・対応表・学習例・見本市のフォルダ")
    taxonomy: Path | None = Field(default=None, description="市の分類ファイルのフォルダ。空なら KOE_DATA/taxonomy")
    keys: str = Field(default="", description="暗号鍵。「ID:base64」をカンマで区切り、先頭を使う。空なら KOE_HOME/keys.json", repr=False)
    engine: str = Field(
        default="loky",
        pattern=r"^(loky|serial|dask://[^/?#\s]+:\d{1,5})$",
        description="並列処理の方式（loky / serial / dask://ホスト:ポート）",
    )
    engine_wait: int = Field(default=60, ge=1, le=3600, description="Dask のワーカーが1つもいないとき、戻るのを待つ秒数")
    workers: int = Field(default=0, ge=0, le=256, description="並列の数。0 なら計算機の CPU 数。Dask では使わない")
    queue: str = Field(
        default="",
        pattern=r"^$|^(redis|rediss|unix)://",
        description="処理の待ち行列。空なら KOE_HOME の queue.db（SQLite）、複数の計算機なら redis://…",
        repr=False,
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="記録の細かさ")
    host: str = Field(default="127.0.0.1", description="koe serve が待ち受けるアドレス")
    port: int = Field(default=8000, ge=1, le=65535, description="koe serve が待ち受けるポート")
    session_hours: int = Field(default=10, ge=1, le=168, description="職員のログインが続く時間")
    secure_cookies: bool = Field(default=False, description="HTTPS で使うときは true（Cookie に Secure を付ける）")
    low_confidence: float = Field(default=0.5, ge=0, le=1, description="これより低い確信度の分類を判断保留とする")
    max_cell_chars: int = Field(default=100_000, ge=1000, description="取込で1つの欄に許す文字数")
    max_upload_mb: int = Field(default=512, ge=1, le=10_240, description="取込の画面から1度に送れる大きさ（MB）")
    attachment_mb: int = Field(default=20, ge=1, le=100, description="案件に1度に添付できる大きさ（MB）")
    upload_days: int = Field(default=7, ge=1, le=365, description="送られたまま取り込まれないファイルを捨てるまでの日数")
    imap_url: str = Field(
        default="",
        description="メールを受け取るサーバー。imaps://利用者@サーバー:993/INBOX。imap://… なら STARTTLS で暗号化する",
    )
    imap_password: str = Field(default="", description="メールのサーバーのパスワード", repr=False)
    imap_password_file: Path | None = Field(default=None, description="パスワードを1行目に書いたファイル")
    imap_ca_file: Path | None = Field(default=None, description="メールのサーバーの証明書を確かめる認証局の証明書（PEM）")

    mail_url: str = Field(
        default="",
        description="メールを送るサーバー。smtp://利用者:パスワード@サーバー:587、smtps://…、書き出すだけなら file:フォルダー",
        repr=False,
    )
    mail_from: str = Field(default="", description="送るメールの差出人。「潮見市広聴課 <kocho@city.example.jp>」の形")
    mail_ca_file: Path | None = Field(default=None, description="メールを送るサーバーの証明書を確かめる認証局の証明書（PEM）")
    base_url: str = Field(
        default="",
        pattern=r"^$|^https?://[^\s?#]+$",
        description="職員のブラウザから見た画面の場所。メールと市の認証に使う。空なら http://KOE_HOST:KOE_PORT",
    )
    digest_time: str = Field(
        default="07:30", pattern=r"^(none|([01]\d|2[0-3]):[0-5]\d)$", description="朝のメールを送る時刻（日本時間）。none なら送らない"
    )

    oidc_issuer: str = Field(
        default="",
        pattern=r"^$|^https://[^\s?#]+$|^http://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?(/[^\s?#]*)?$",
        description="市の認証（OpenID Connect）の発行者。空なら使わない",
    )
    oidc_client_id: str = Field(default="", description="市の認証に登録した声環の名前（client_id）")
    oidc_client_secret: str = Field(default="", description="その秘密の値（client_secret）。空なら PKCE だけで確かめる", repr=False)
    oidc_ca_file: Path | None = Field(default=None, description="市の認証のサーバーの証明書を確かめる認証局の証明書（PEM）")
    oidc_label: str = Field(default="市の認証でログイン", max_length=30, description="ログイン画面のボタンのことば")
    oidc_scopes: str = Field(
        default="openid profile", pattern=r"^(\S+ )*openid( \S+)*$", description="市の認証に求めるもの。openid を含める"
    )
    oidc_username_claim: str = Field(default="preferred_username", min_length=1, description="最初のログインで利用者名と比べる項目")
    oidc_role_claim: str = Field(default="", description="役割を受け取る項目。空なら管理者が決める")
    oidc_department_claim: str = Field(default="", description="課を受け取る項目。空なら管理者が決める")
    oidc_position_claim: str = Field(default="", description="職位を受け取る項目。空なら管理者が決める")

    rate_sign_in: str = Field(default="300/5minute", pattern=_RATE, description="1つのアドレスからログインを試せる回数。none なら限らない")
    rate_account: str = Field(default="20/15minute", pattern=_RATE, description="1つの利用者名で続けて間違えられる回数。none なら限らない")
    rate_public: str = Field(default="600/minute", pattern=_RATE, description="1つのアドレスから公開の画面を開ける回数。none なら限らない")
    rate_search: str = Field(default="120/minute", pattern=_RATE, description="1人がことばで検索できる回数。none なら限らない")
    rate_export: str = Field(default="60/10minute", pattern=_RATE, description="1人がファイルを書き出せる回数。none なら限らない")
    rate_key: str = Field(default="600/minute", pattern=_RATE, description="1つの API キーで要求できる回数。none なら限らない")

    @property
    def address(self) -> str:
        """Where the pages are, for links in mails, without a slash at the end."""
        return self.base_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The SQLAlchemy URL in force."""
        return self.database_url or f"sqlite:///{(self.home / 'koenowa.db').resolve()}"

    @property
    def taxonomy_dir(self) -> Path:
        """The folder with themes.yaml, kinds.yaml, departments.yaml and city.yaml."""
        return self.taxonomy or self.data / "taxonomy"

    @property
    def models_dir(self) -> Path:
        """Where trained models live."""
        return self.home / "models"


def _secret_folders() -> list[Path]:
    # A file there has a variable's name in small letters and holds its value: what containers and systemd hand over unseen by others.
    folders = (Path("/run/secrets"), Path(os.environ.get("CREDENTIALS_DIRECTORY") or "/run/secrets"))
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once: from the variables, and what they leave open from the secret files.

    Raises:
        SettingsError: a variable has a value that cannot be used, or a secret file can't be read.
    """
    try:
        return Settings(_secrets_dir=_secret_folders())
    except SourceError:
        folders = "・".join(map(str, _secret_folders()))
        raise SettingsError(
            f"{folders} にある設定のファイルが読めません。", hint="持ち主と権限と文字コード（UTF-8）を確かめてください。"
        ) from None
    except ValidationError as error:
        names = ", ".join("KOE_" + "_".join(str(part) for part in item["loc"]).upper() for item in error.errors())
        raise SettingsError(f"設定の値が正しくありません: {names}", hint="docs/settings.md を見て直してください。") from None
