"""Typed errors: what was wrong, where, and what to do, in Japanese, with a code and a status."""

from __future__ import annotations


class KoeError(Exception):
    """Base of every error that may reach a person.

    ``code`` is stable and English (for programs), ``status`` is the HTTP status, ``message`` says in Japanese what was
    wrong and where, ``hint`` what to do about it. Neither may hold personal data.
    """

    code = "error"
    status = 500

    def __init__(self, message: str, *, hint: str = "", code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class SettingsError(KoeError):
    """A setting is missing or has a value that cannot be used."""

    code = "settings"


class DatabaseError(KoeError):
    """The database cannot be reached, or its schema is not the one that this version needs."""

    code = "database"
    status = 503


class MailServerError(KoeError):
    """A mail server can't be reached, doesn't let us in, doesn't have what was asked for, or won't take a mail."""

    code = "mail_server"
    status = 502


class CitySignInError(KoeError):
    """The city's own sign-in can't be reached, or what it answers can't be trusted."""

    code = "city_sign_in"
    status = 503


class InputError(KoeError):
    """A file, a form or an argument cannot be taken as it is."""

    code = "input"
    status = 400


class NotFoundError(KoeError):
    """What was asked for is not there, or not for this person."""

    code = "not_found"
    status = 404


class ForbiddenError(KoeError):
    """This person may not do this."""

    code = "forbidden"
    status = 403


class PasswordChangeRequiredError(ForbiddenError):
    """This person has to choose a password first."""

    code = "password_change"


class SignInRequiredError(KoeError):
    """Nobody is signed in."""

    code = "sign_in"
    status = 401


class ConflictError(KoeError):
    """Somebody else changed the same thing first, or the state doesn't allow the step."""

    code = "conflict"
    status = 409


class TooManyRequestsError(KoeError):
    """Somebody has asked too often in a short time; ``retry_after`` is in how many seconds the next is taken."""

    code = "too_many"
    status = 429
    retry_after = 60

    @classmethod
    def until(cls, message: str, *, seconds: int) -> TooManyRequestsError:
        """The error with when to come again, in words and as a number."""
        left = f"{seconds}秒" if seconds < 120 else f"{-(-seconds // 60)}分"
        error = cls(message, hint=f"{left}ほど待ってから、もう一度お試しください。")
        error.retry_after = seconds
        return error


class ModelError(KoeError):
    """A model file is missing, damaged, or of another version."""

    code = "model"
    status = 503


class QueueError(KoeError):
    """The queue of background jobs cannot be reached."""

    code = "queue"
    status = 503


class EngineError(KoeError):
    """The processes or the cluster that work is divided over cannot be reached, or are gone."""

    code = "engine"
    status = 503


class DecryptionError(KoeError):
    """A stored secret cannot be read with the keys at hand."""

    code = "decryption"
    status = 500
