"""Counting in a moving window, in this process and on a server that speaks Redis's protocol."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import limits.storage.memory
import limits.storage.redis
import pytest
from limits.storage import RedisStorage
from redis import Redis

from api import limits as ours
from api.limits import Limit, Limits, place_of
from core.errors import TooManyRequestsError
from core.settings import Settings
from tests.api.processes import free_port

NOON = 1_800_000_000.0


@dataclass
class Clock:
    """A clock that is set by hand."""

    now: float = NOON

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in (ours, limits.storage.memory, limits.storage.redis):
        monkeypatch.setattr(module, "time", SimpleNamespace(time=clock.time))
    return clock


@pytest.fixture
def counting_redis(redis: str) -> str:
    """The address of a server that knows the library's scripts: this one hangs up when it is asked for one that it doesn't know."""
    with Redis.from_url(redis) as client:
        for script in (RedisStorage.SCRIPT_ACQUIRE_MOVING_WINDOW, RedisStorage.SCRIPT_MOVING_WINDOW):
            client.script_load(script)
    return redis


@pytest.fixture(params=["here", "redis"])
def given(request: pytest.FixtureRequest, settings: Settings) -> Settings:
    queue = request.getfixturevalue("counting_redis") if request.param == "redis" else ""
    return settings.model_copy(update={"queue": queue, "rate_search": "3/minute", "rate_export": "1/10minute"})


def close(counting: Limits) -> None:
    """Lets go of the connection to Redis, which has counted all there was to count."""
    if counting._in_redis is not None:
        assert counting._memory is None
        storage: Any = counting._in_redis.storage
        storage.storage.close()


def refused(counting: Limits, limit: Limit, who: str) -> TooManyRequestsError:
    with pytest.raises(TooManyRequestsError) as caught:
        counting.count(limit, who)
    return caught.value


def test_so_many_in_a_window_that_moves(given: Settings, clock: Clock) -> None:
    counting = Limits(given)
    for second in (0, 20, 40):
        clock.now = NOON + second
        counting.count(Limit.SEARCH, "hanako")
    clock.now = NOON + 50
    error = refused(counting, Limit.SEARCH, "hanako")
    assert (error.status, error.retry_after) == (429, 10)
    assert "10秒ほど待って" in error.hint
    counting.count(Limit.SEARCH, "jiro")
    counting.count(Limit.EXPORT, "hanako")
    assert "10分ほど待って" in refused(counting, Limit.EXPORT, "hanako").hint
    clock.now = NOON + 61
    counting.count(Limit.SEARCH, "hanako")
    assert refused(counting, Limit.SEARCH, "hanako").retry_after == 19, "what was refused isn't counted"
    close(counting)


def test_beginning_anew(given: Settings, clock: Clock) -> None:
    counting = Limits(given)
    counting.count(Limit.EXPORT, "hanako")
    counting.forget(Limit.EXPORT, "jiro")
    refused(counting, Limit.EXPORT, "hanako")
    counting.forget(Limit.EXPORT, "hanako")
    counting.count(Limit.EXPORT, "hanako")
    close(counting)


def test_no_limit(settings: Settings) -> None:
    counting = Limits(settings.model_copy(update={"rate_export": "none"}))
    for _ in range(100):
        counting.count(Limit.EXPORT, "hanako")
    counting.forget(Limit.EXPORT, "hanako")


def test_processes_with_one_redis_count_together(counting_redis: str, settings: Settings, clock: Clock) -> None:
    shared = settings.model_copy(update={"queue": counting_redis, "rate_search": "3/minute"})
    first, second = Limits(shared), Limits(shared)
    first.count(Limit.SEARCH, "港町太郎")
    second.count(Limit.SEARCH, "港町太郎")
    first.count(Limit.SEARCH, "港町太郎")
    refused(second, Limit.SEARCH, "港町太郎")
    assert first._in_redis is not None
    storage: Any = first._in_redis.storage
    kept = [key.decode() for key in storage.storage.scan_iter()]
    assert len(kept) == 1
    assert "港町" not in kept[0]
    close(first)
    close(second)


def test_a_redis_that_does_not_answer_shuts_nobody_out_and_lets_nobody_run_free(
    settings: Settings, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    counting = Limits(settings.model_copy(update={"queue": f"redis://127.0.0.1:{free_port()}/0", "rate_export": "1/minute"}))
    counting.count(Limit.EXPORT, "hanako")
    refused(counting, Limit.EXPORT, "hanako")
    counting.forget(Limit.EXPORT, "hanako")
    counting.count(Limit.EXPORT, "hanako")
    assert "Redis doesn't count" in caplog.text
    assert "hanako" not in caplog.text


def test_what_is_kept_of_all_who_ever_asked_has_an_end(settings: Settings, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "_MOST_KEPT", 10)
    counting = Limits(settings)
    for number in range(100):
        counting.count(Limit.PUBLIC, str(number))
    assert counting._memory is not None
    assert len(counting._memory.events) <= 11


def test_the_defaults_can_be_read(tmp_path: Path) -> None:
    counting = Limits(Settings(home=tmp_path))
    assert {limit: (item.amount, item.get_expiry()) for limit, item in counting._items.items() if item} == {
        Limit.SIGN_IN: (300, 300),
        Limit.ACCOUNT: (20, 900),
        Limit.PUBLIC: (600, 60),
        Limit.SEARCH: (120, 60),
        Limit.EXPORT: (60, 600),
        Limit.KEY: (600, 60),
    }


@pytest.mark.parametrize(
    ("host", "place"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_what_counts_as_one_address(host: str, place: str) -> None:
    assert place_of(host) == place
