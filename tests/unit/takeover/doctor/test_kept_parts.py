"""Parts of long texts, put together again in whatever order they come; in bounded memory."""

from __future__ import annotations

from strongroom.crypto.sealing import TextPart
from strongroom.secret import Secret
from strongroom.store.inspection.inspection import KeptText
from strongroom.takeover.doctor.kept_parts import KeptParts


def kept(entry_id: str, wallet: str = "w") -> KeptText:
    return KeptText(entry_id, wallet, "", "", "", "sealed", "archive", "p")


def part(text: str, number: int, parts: int) -> TextPart:
    return TextPart(Secret.from_text(text), number, parts)


def test_a_text_in_one_part_is_whole() -> None:
    whole = KeptParts().add(kept("1"), part("a text", 1, 1))
    assert whole is not None
    assert (whole.text.reveal_text(), whole.entry_id) == ("a text", "1")


def test_parts_come_together_in_whatever_order() -> None:
    parts = KeptParts()
    assert parts.add(kept("3"), part("c", 3, 3)) is None
    assert parts.add(kept("9", "other"), part("x", 1, 3)) is None
    assert parts.add(kept("1"), part("a", 1, 3)) is None
    whole = parts.add(kept("2"), part("b", 2, 3))
    assert whole is not None
    assert (whole.text.reveal_text(), whole.entry_id) == ("abc", "1")
    assert "3 entries of the history" in whole.told


def test_a_part_that_is_missing_spoils_no_later_text() -> None:
    parts = KeptParts()
    assert parts.add(kept("1"), part("a", 1, 2)) is None
    assert parts.add(kept("2"), part("c", 1, 2)) is None
    whole = parts.add(kept("3"), part("d", 2, 2))
    assert whole is not None
    assert whole.text.reveal_text() == "cd"


def test_few_texts_wait_for_their_parts() -> None:
    parts = KeptParts()
    for number in range(100):
        assert parts.add(kept("1", str(number)), part("a", 1, 2)) is None
    assert parts.add(kept("2", "99"), part("b", 2, 2)) is not None
    assert parts.add(kept("2", "0"), part("b", 2, 2)) is None
