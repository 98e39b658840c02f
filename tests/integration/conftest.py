"""Unit tests of models run on the home that the end-to-end tests build."""

from tests.e2e.conftest import built_home, sotedw

__all__ = ["built_home", "sotedw"]
