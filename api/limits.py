"""How often one may ask: a moving window for each address, account and key, counted in this process or, with several, in Redis."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from collections.abc import Callable, Mapping
from enum import StrEnum
from functools import cached_property
from ipaddress import IPv6Address, ip_address, ip_network
from typing import TYPE_CHECKING, TypeVar

from core.errors import TooManyRequestsError
from core.settings import NO_LIMIT, Settings

if TYPE_CHECKING:
    from limits import RateLimitItem
    from limits.storage import MemoryStorage
    from limits.strategies import MovingWindowRateLimiter

T = TypeVar("T")
_log = logging.getLogger("koenowa.limits")
_PATIENCE = 0.5  # seconds that a request waits for Redis before it is counted here
_MOST_KEPT = 100_000
_NETWORK = 64  # bits of an IPv6 address that are one connection's; the rest it chooses as it likes


class Limit(StrEnum):
    """What is counted. The value is the setting's name after ``rate_``."""

    SIGN_IN = "sign_in"
    ACCOUNT = "account"
    PUBLIC = "public"
    SEARCH = "search"
    EXPORT = "export"
    KEY = "key"


_TOLD: Mapping[Limit, str] = {
    Limit.SIGN_IN: "この場所から、ログインを試した回数が多すぎます。",
    Limit.ACCOUNT: "この利用者名で、ログインを試した回数が多すぎます。",
    Limit.PUBLIC: "この場所から、短い時間に多くのページが開かれました。",
    Limit.SEARCH: "短い時間に、多くの検索が行われました。",
    Limit.EXPORT: "短い時間に、多くのファイルが書き出されました。",
    Limit.KEY: "この API キーで、短い時間に多くの要求がありました。",
}


class Limits:
    """The limits of the settings, and how often each has been used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._memory: MemoryStorage | None = None
        self._shared = settings.queue.replace("unix://", "redis+unix://", 1) if settings.queue else ""

    def count(self, limit: Limit, who: str) -> None:
        """Counts one more of somebody.

        Raises:
            TooManyRequestsError: it is one too many; says when the next will be taken. It isn't counted.
        """
        item = self._items[limit]
        if item is None:
            return
        key = _key(limit, who)
        taken, opens_at = self._somewhere(lambda at: (at.hit(item, key), at.get_window_stats(item, key).reset_time))
        if not taken:
            raise TooManyRequestsError.until(_TOLD[limit], seconds=max(1, math.ceil(opens_at - time.time())))

    def forget(self, limit: Limit, who: str) -> None:
        """Begins anew with somebody."""
        item = self._items[limit]
        if item is not None:
            self._somewhere(lambda at: at.clear(item, _key(limit, who)))

    def _somewhere(self, act: Callable[[MovingWindowRateLimiter], T]) -> T:
        """Counts in Redis where there is one and it answers, else here. Nobody is sent away because it doesn't."""
        from limits.errors import StorageError

        if self._in_redis is not None:
            try:
                return act(self._in_redis)
            except StorageError as error:
                _log.warning("Redis doesn't count: %s", type(error.storage_error).__name__)
        return act(self._here)

    @cached_property
    def _items(self) -> Mapping[Limit, RateLimitItem | None]:
        from limits import parse

        given = {limit: str(getattr(self._settings, f"rate_{limit}")) for limit in Limit}
        return {limit: None if said == NO_LIMIT else parse(said) for limit, said in given.items()}

    @property
    def _here(self) -> MovingWindowRateLimiter:
        from limits.storage import MemoryStorage
        from limits.strategies import MovingWindowRateLimiter

        # The library keeps the name of everybody who ever asked. When there are too many, all begin anew.
        if self._memory is None or len(self._memory.events) > _MOST_KEPT:
            self._memory = MemoryStorage()
        return MovingWindowRateLimiter(self._memory)

    @cached_property
    def _in_redis(self) -> MovingWindowRateLimiter | None:
        from limits.errors import ConfigurationError
        from limits.storage import RedisStorage
        from limits.strategies import MovingWindowRateLimiter

        if not self._shared:
            return None
        patience = {"socket_timeout": _PATIENCE, "socket_connect_timeout": _PATIENCE}
        try:
            return MovingWindowRateLimiter(RedisStorage(self._shared, key_prefix="koenowa", wrap_exceptions=True, **patience))
        except ConfigurationError:  # koenowa[redis] isn't installed; who opens the queue is told so
            return None


def place_of(host: str) -> str:
    """What counts as one address: an IPv4 address, or the network of an IPv6 one."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if isinstance(address, IPv6Address):
        # A proxy whose one socket takes both kinds writes IPv4 addresses like this: they are no one network.
        return str(address.ipv4_mapped or ip_network((address, _NETWORK), strict=False))
    return str(address)


def _key(limit: Limit, who: str) -> str:
    """Under what somebody is counted: hashed, lest what was typed as a name be kept."""
    return f"{limit}:{hashlib.sha256(who.encode('utf-8', 'surrogatepass')).hexdigest()[:32]}"
