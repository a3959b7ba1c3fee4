"""The texts of the legacy application, read for those who get kept keys out: with doctor's own eyes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from strongroom.ports.network import Network, Networks
from strongroom.ports.rescue import NO_CHOICE, KeyChoice, ReadText, TextPasswords
from strongroom.records.key_material import KeyMaterial
from strongroom.secret import Secret
from strongroom.usecases.addresses import canonical

if TYPE_CHECKING:
    from strongroom.takeover.doctor.found import Found
    from strongroom.takeover.doctor.key_texts import KeyText


class FieldTexts:
    """Reads every form that doctor knows. What it needs is imported when it is first used."""

    def __init__(self, networks: Networks) -> None:
        self._networks = networks

    def read(
        self, text: str, network: str, address: str, passwords: TextPasswords, choice: KeyChoice = NO_CHOICE
    ) -> ReadText:
        """Read a text that is stored under an address; see ForeignTexts."""
        from strongroom.takeover.doctor.derivation import Derivation
        from strongroom.takeover.doctor.key_texts import IN_PLAINTEXT, read
        from strongroom.takeover.doctor.passwords import Passwords
        from strongroom.takeover.doctor.remainders import holds_more

        derivation = Derivation(self._networks, () if choice.path is None else (choice.path,))
        found = read(text)
        del text  # no frame holds it while keys are derived
        target = derivation.settled(derivation.targets(network, address), [found], ())
        found = derivation.reading(found, target)
        in_plaintext = found.kind in IN_PLAINTEXT
        work = passwords.work
        if found.derives_many and work is not None and not work.takes_phrase():
            return ReadText(found.form, in_plaintext)
        opened = found if in_plaintext else Passwords(passwords.legacy, passwords.keystores, work).open(found)[0]
        content = None if opened is None else derivation.explain(opened, target)
        if opened is None or content is None:
            return ReadText(found.form, in_plaintext=False, is_locked=found.locked is not None)
        more = any(holds_more(each, content, derivation) for each in (found, opened))
        if content.material is not None and target is not None:
            return ReadText(
                *(found.form, in_plaintext, target.network.name, target.address, content.material, more),
                is_of_many=opened.tree is not None and not (opened.others or opened.holds_unread or opened.remainders),
                paths=opened.paths,
            )
        chosen = target.network if target is not None else self._named(network)
        if chosen is None:
            return ReadText(found.form, in_plaintext)
        material = _material(chosen, opened, choice)
        half = chosen.public_half(material.private_key, material.scheme)
        beside = (each.reveal_text() for each in opened.remainders)
        return ReadText(
            *(found.form, in_plaintext, chosen.name, half.address, material, more),
            written=opened.written,
            paths=opened.paths,
            addresses=tuple(named for each in beside if (named := canonical(chosen, each)) is not None),
        )

    def opened(self, text: str, passwords: TextPasswords) -> Secret | None:
        """All that is in an envelope, as it was written; None where a text is none, or the password does not fit."""
        from strongroom.takeover.doctor.envelope import Envelope
        from strongroom.takeover.doctor.key_texts import read

        locked = read(text).locked
        if not isinstance(locked, Envelope) or passwords.legacy is None:
            return None
        return locked.open(passwords.legacy)

    def keys_in(self, opened: Secret) -> Iterator[KeyMaterial]:
        """Every key and phrase that is read of what was in an envelope; see ForeignTexts."""
        from strongroom.takeover.doctor import notations, wrappings
        from strongroom.takeover.doctor.key_texts import read

        data = opened.reveal()
        text = wrappings.as_text(data)
        first = None if text is None else read(text)
        for each in notations.of_bytes(data) if first is None else (first, *first.others):
            if each.key is not None or each.phrase is not None:
                yield _material(next(iter(self._networks)), each, NO_CHOICE)

    def sealed_in(self, text: str, *, alone: bool = False) -> str | None:
        """The sealed text that is in a text, with whatever is around it; see ForeignTexts."""
        from strongroom.takeover.doctor.key_texts import read

        found = read(text)
        more = found.others or found.holds_unread or found.remainders
        return None if found.sealed is None or (alone and more) else found.sealed.reveal_text()

    def sealed_inside(self, text: str) -> tuple[str, ...]:
        """Every sealed text that reading a text finds in it; see ForeignTexts."""
        from strongroom.takeover.doctor.sealed_inside import sealed_inside

        return sealed_inside(text)

    def _named(self, name: str) -> Network | None:
        return self._networks.get(name) if name in self._networks else None


def _material(network: Network, opened: KeyText | Found, choice: KeyChoice) -> KeyMaterial:
    """The key as it was chosen, else as the network's own wallets would derive it."""
    scheme = network.scheme(choice.variant)
    if opened.phrase is not None:
        return network.derive(opened.phrase, scheme, choice.path)
    assert opened.key is not None  # noqa: S101 - it was explained, so it is one or the other
    return KeyMaterial(opened.key, scheme)
