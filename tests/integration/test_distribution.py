"""Distributing tables where there is no Citus: refused, with what to do; nothing is changed."""

from __future__ import annotations

import pytest

import strongroom
from testbed.command_line import call
from testbed.databases.deployments import Deployment


def test_without_citus_it_is_refused(core_deployments: Deployment) -> None:
    takeover = strongroom.open_takeover(core_deployments.url, root_key=core_deployments.root_key)
    for verb in (takeover.distribution_steps, takeover.distribute):
        with pytest.raises(strongroom.UnsupportedDatabaseError, match="no Citus"):
            verb()
    refused = call("distribute", "--print", "--database", core_deployments.url)
    assert refused.code != 0
    assert "citus_add_node" in refused.err
    assert call("distribute", "--database", core_deployments.url).code == 2
