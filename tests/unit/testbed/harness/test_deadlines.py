"""A test that hangs fails."""

from __future__ import annotations

import pytest

from testbed.harness import deadlines

pytest_plugins = ["pytester"]


def test_a_test_that_waits_for_what_does_not_come_fails(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deadlines, "SECONDS", 1)
    pytester.makepyfile(
        """
        import threading
        def test_waits(): threading.Event().wait()
        def test_ends(): pass
        """
    )
    result = pytester.runpytest_inprocess("-p", "testbed.harness.deadlines", "-p", "no:xdist")
    result.assert_outcomes(failed=1, passed=1)
    result.stdout.fnmatch_lines(["*the test still waits after 1 seconds*"])
