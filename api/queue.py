"""The queue of background jobs: Huey on a SQLite file or on Redis. It carries numbers of jobs and nothing else, as JSON."""

from __future__ import annotations

import json
import logging
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

from huey import Huey, SqliteHuey
from huey.exceptions import ConfigurationError, HueyException
from huey.registry import Message
from huey.serializer import Serializer
from huey.storage import SqliteStorage

from core.errors import QueueError, SettingsError
from core.settings import Settings

NAME = "koenowa"
# What reading a message that somebody else wrote may raise.
_NOT_OURS = (ValueError, TypeError, LookupError, HueyException)
_log = logging.getLogger("koenowa.queue")


class JobQueue:
    """Sends numbers of jobs; a worker sets ``runner`` and hands ``huey`` to its consumer."""

    def __init__(self, huey: Huey) -> None:
        self.huey = huey
        self.runner: Callable[[int], object] | None = None
        self._task = huey.task(name="run_job")(self._run)

    def send(self, job_id: int) -> None:
        """Tells the workers that a job waits.

        Raises:
            QueueError: the queue can't be reached.
        """
        with _reachable(), self._let_go():
            self._task(job_id)

    def pending(self) -> set[int]:
        """The numbers that no worker has taken from the queue yet.

        Raises:
            QueueError: the queue can't be reached.
        """
        with _reachable(), self._let_go():
            items = self.huey.storage.enqueued_items()
        return {found for item in items if (found := _job_of(item)) is not None}

    def run_next(self) -> bool:
        """Does the next job in the queue in this process; ``False`` when there is none."""
        with _reachable():
            try:
                task = self.huey.dequeue()
            except _NOT_OURS:
                _log.warning("待ち行列に、声環のものでない合図がありました。捨てます。")
                return True
        if task is None:
            return False
        self.huey.execute(task)
        return True

    @contextmanager
    def _let_go(self) -> Iterator[None]:
        """A file isn't held open from one look to the next."""
        try:
            yield
        finally:
            if isinstance(self.huey.storage, SqliteStorage):
                self.huey.storage.close()

    def _run(self, job_id: int) -> None:
        if self.runner is None:
            raise AssertionError("only a worker executes tasks")
        self.runner(job_id)


def _job_of(item: bytes) -> int | None:
    try:
        (job_id,) = Message(*json.loads(item)).args
    except _NOT_OURS:
        return None
    return job_id if isinstance(job_id, int) else None


def open_queue(settings: Settings) -> JobQueue:
    """The queue that the settings name; the same one each time in a process.

    Raises:
        SettingsError: Redis is named, but its package isn't installed.
        QueueError: the file can't be made.
    """
    return _open(settings.queue or str((settings.home / "queue.db").resolve()))


@lru_cache(maxsize=8)
def _open(place: str) -> JobQueue:
    if "://" not in place:
        with _reachable():
            return JobQueue(SqliteHuey(NAME, filename=place, results=False, serializer=_Json(), timeout=30))
    try:
        from huey import RedisHuey

        # The consumer's stop is noticed between two looks at the queue.
        return JobQueue(RedisHuey(NAME, url=place, results=False, serializer=_Json(), read_timeout=1))
    except (ImportError, ConfigurationError):
        raise SettingsError(
            "KOE_QUEUE に Redis を指定していますが、パッケージ redis がありません。",
            hint="pip install 'koenowa[redis]' で入れるか、KOE_QUEUE を空にしてください。",
        ) from None


class _Json(Serializer):  # type: ignore[misc]
    """In place of pickle: who can write into the queue must not be able to run a program in a worker."""

    def _serialize(self, data: Message) -> bytes:
        return json.dumps(data).encode()

    def _deserialize(self, data: bytes) -> Message:
        return Message(*json.loads(data))


@contextmanager
def _reachable() -> Iterator[None]:
    try:
        yield
    except (OSError, sqlite3.Error, *_redis_errors()) as error:
        raise QueueError(
            "処理の待ち行列につながりません。", hint="KOE_QUEUE と Redis、または KOE_HOME の権限と空き容量を確かめてください。"
        ) from error


def _redis_errors() -> tuple[Any, ...]:
    try:
        from redis.exceptions import RedisError
    except ImportError:
        return ()
    return (RedisError,)
