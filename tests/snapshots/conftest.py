"""The contracts are frozen from real runs of the command."""

from tests.api.conftest import home, koe

__all__ = ["home", "koe"]
