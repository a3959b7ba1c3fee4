"""The course of an upgrade: tag, ask about what contradicts itself, and say that it is finished."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from strongroom.records.usage_log import Attribution
from strongroom.takeover.openers import OpenUpgrade
from strongroom.takeover.progress import ProgressCallback, reported
from strongroom.usecases.accept import UpgradeResult

Decide = Callable[[UpgradeResult], bool]


def tag_records(
    opened: OpenUpgrade,
    accept: Sequence[UUID],
    who: Attribution,
    *,
    leave_undecided: bool,
    decide: Decide | None,
    progress: ProgressCallback | None,
) -> tuple[list[UpgradeResult], bool]:
    """What became of each record, and whether a record without a tag is refused from now on."""
    upgrade = opened.upgrade
    already = upgrade.finished
    results = [] if already else list(reported(progress, upgrade.run(), "tagging", upgrade.count))
    looked_at = {result.wallet_id for result in results if result.kind == "wallet"}
    for each in accept:
        if each not in looked_at:  # what has a record already
            results += opened.accept(each, who)
    if decide is not None:
        results = [each for result in results for each in _decided(opened, result, who, decide)]
    finished = already or leave_undecided or all(result.tagged for result in results)
    if finished and not already:
        upgrade.finish()
    return results, finished


def _decided(opened: OpenUpgrade, result: UpgradeResult, who: Attribution, decide: Decide) -> list[UpgradeResult]:
    """Ask about a wallet whose rows contradict each other."""
    if result.tagged or result.kind != "wallet" or not result.undecided or not decide(result):
        return [result]
    return opened.accept(result.wallet_id, who, decided=True)
