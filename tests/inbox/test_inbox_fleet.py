"""A fleet of processes behind one inbox, some of which are killed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from inbox import fleet


def check(report: fleet.Report) -> None:
    assert report.kills > 0
    assert report.failures > 0
    assert (report.lost, report.twice, report.unhandled) == ([], [], 0)


def test_a_fleet_on_sqlite_handles_each_event_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'inbox.db'}"
    check(fleet.run(url, processes=3, events=60, percent=5))


if "WXPAY_TEST_POSTGRES" in os.environ:

    @pytest.mark.timeout(300)
    def test_a_fleet_on_postgresql_handles_each_event_once() -> None:
        url = os.environ["WXPAY_TEST_POSTGRES"]
        check(fleet.run(url, processes=4, events=500, percent=3))
