"""Ailments of sealed texts: those of wallets that strongroom made here, and those of a keyring that is not here."""

from __future__ import annotations

from dataclasses import replace

from tests.ailments import locked, texts
from tests.ailments.bed import Bed, Ours, Soil
from tests.ailments.keys import kind_of
from tests.ailments.recipes import recipe


def initialised(soil: Soil) -> bool:
    """Whether there is a keyring."""
    return soil.initialised


def with_history(soil: Soil) -> bool:
    """Whether every text of ours is kept a second time."""
    return soil.history


# --- a keyring that is not here ------------------------------------------------------------------------------


@recipe("unknown-sealing-key")
def sealed_under_an_unknown_key(bed: Bed) -> None:
    credential = bed.credential()
    method = bed.rng.choice(bed.soil.methods) if bed.chance(0.3) else "AES-256-GCM"
    bed.record(credential, texts.sealed_unknown(bed.rng, bed.header(credential)), method)


@recipe("sealed-elsewhere")
def sealed_for_another_under_an_unknown_key(bed: Bed) -> None:
    credential = bed.credential()
    elsewhere = replace(
        bed.header(credential), credential=bed.uuid(), project=bed.uuid(), address=bed.key("evm").address
    )
    bed.record(credential, texts.sealed_unknown(bed.rng, elsewhere))


@recipe("identity-changed")
def changed_under_an_unknown_key(bed: Bed) -> None:
    credential = bed.credential()
    header = bed.header(credential)
    other = bed.rng.choice(
        (
            replace(header, project=bed.uuid()),
            replace(header, address=bed.key("evm").address, network="ethereum"),
            replace(header, network="bnb" if header.network != "bnb" else "base"),
        )
    )
    bed.record(credential, texts.sealed_unknown(bed.rng, other))


@recipe("unreadable")
def sealed_form_is_broken(bed: Bed) -> None:
    credential = bed.credential()
    whole = texts.sealed_unknown(bed.rng, bed.header(credential))
    bed.record(credential, texts.break_form(bed.rng, whole))


@recipe("key-in-metadata")
def sealed_text_in_metadata(bed: Bed) -> None:
    """A sealed text there is no finding; a key beside it is."""
    key = bed.key()
    credential = bed.credential(key)
    credential.members["private_key_encrypted"] = texts.sealed_unknown(bed.rng, bed.header(credential))
    if bed.chance(0.5):
        credential.members["vault_storage"] = texts.clear_key(bed.rng, key, derives=True)
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True))


# --- wallets of ours ------------------------------------------------------------------------------------------


def _empty(bed: Bed, wallet: Ours) -> None:
    """What an older application does to a record of ours: overwrite it, or delete it."""
    if bed.chance(0.5):
        wallet.record.text = texts.placeholder(bed.rng)
    else:
        bed.forget([wallet.record])


@recipe("missing-vault-record", fits=initialised)
def ours_is_lost(bed: Bed) -> None:
    """Where every text is kept a second time it is not lost, unless that was deleted too."""
    if (wallet := bed.ours()) is None:
        return
    _empty(bed, wallet)
    if bed.chance(0.5):
        bed.forget(wallet.entries)


@recipe("sealed-elsewhere", fits=initialised)
def ours_stands_elsewhere(bed: Bed) -> None:
    """Moved to another row, copied there, or swapped with another text."""
    one, other = bed.ours(), bed.ours()
    if one is None or other is None:
        return
    here, there = one.record.text, other.record.text
    other.record.text = here
    how = bed.rng.choice(("copy", "swap", "move"))
    if how == "swap":
        one.record.text = there
    elif how == "move":
        _empty(bed, one)


@recipe("identity-changed", fits=initialised)
def identity_of_ours_changed(bed: Bed) -> None:
    if (wallet := bed.ours()) is None:
        return
    credential = wallet.credential
    what = bed.rng.choice(("project", "network", "address", "invalid address", "several"))
    if what in ("project", "several"):
        credential.project = bed.uuid()
    if what in ("network", "several") and credential.key is not None and "polygon" in credential.key.networks:
        credential.network = "polygon" if credential.network != "polygon" else "mantle"
    elif what == "network":
        credential.network = "a-chain-of-the-future"  # the address still tells: nothing is found
    if what == "address" and credential.key is not None:
        credential.key = bed.other_key(credential.key)
        credential.wallet_address = credential.key.address
    if what == "invalid address":
        credential.key, credential.wallet_address = None, "unknown"


@recipe("identity-changed", fits=initialised)
def public_half_of_ours_changed(bed: Bed) -> None:
    if (wallet := bed.ours()) is None:
        return
    credential = wallet.credential
    metadata = dict(credential.metadata or {})
    what = bed.rng.choice(("public key", "path", "scheme"))
    if what == "public key":
        credential.public_key = "02" + bed.rng.randbytes(32).hex()
    elif what == "path":
        metadata["path"] = "m/44'/60'/0'/0/9"
    else:
        metadata["scheme"] = "bip49" if metadata.get("scheme") != "bip49" else "bip84"
    credential.metadata, credential.tampered = metadata, True


@recipe("unreadable", fits=initialised)
def ours_is_damaged(bed: Bed) -> None:
    if (wallet := bed.ours()) is None:
        return
    text = wallet.record.text
    wallet.record.text = texts.break_bits(text) if bed.chance(0.6) else texts.break_form(bed.rng, text)
    bed.forget(wallet.entries)


@recipe("unreadable", fits=with_history)
def ours_is_overwritten(bed: Bed) -> None:
    """By noise, while the history still has it."""
    if (wallet := bed.ours()) is not None:
        wallet.record.text = texts.unreadable(bed.rng, bed.rng.randrange(10))


@recipe("wrong-label", fits=initialised)
def label_of_ours_changed(bed: Bed) -> None:
    if (wallet := bed.ours()) is not None:
        wallet.record.method = bed.rng.choice([each for each in bed.soil.methods if each != "AES-256-GCM"])


@recipe("stored-flag-wrong", fits=initialised)
def flag_of_ours_changed(bed: Bed) -> None:
    if (wallet := bed.ours()) is not None:
        wallet.credential.vault_stored = False


@recipe("live-after-revoke", fits=initialised)
def ours_is_revoked_by_half(bed: Bed) -> None:
    if (wallet := bed.ours()) is not None:
        wallet.credential.is_active, wallet.credential.status = False, "revoked"


@recipe("key-in-metadata", fits=initialised)
def key_of_ours_in_metadata(bed: Bed) -> None:
    if (wallet := bed.ours()) is not None and wallet.credential.key is not None:
        clear = texts.clear_key(bed.rng, wallet.credential.key, derives=True)
        wallet.credential.members["private_key_encrypted"] = clear


@recipe("plaintext-key", fits=initialised)
def ours_is_overwritten_in_clear(bed: Bed) -> None:
    if (wallet := bed.ours()) is not None and wallet.credential.key is not None:
        key = wallet.credential.key
        held = key if bed.chance(0.6) else bed.other_key(key)
        wallet.record.text = texts.clear_key(bed.rng, held, derives=held is key)


@recipe("shared-key", fits=initialised)
def key_of_ours_in_another_row(bed: Bed) -> None:
    """Whether it is one key can be told with the root key alone."""
    if (wallet := bed.ours()) is None or wallet.credential.key is None:
        return
    key = wallet.credential.key
    bed.record(bed.credential(key), texts.clear_key(bed.rng, key, derives=True))


@recipe("duplicate-live", fits=initialised)
def ours_is_not_alone(bed: Bed) -> None:
    if (wallet := bed.ours()) is None or wallet.credential.key is None:
        return
    key = bed.key(kind_of(wallet.credential.key))
    credential = bed.credential(key, project=wallet.credential.project, network=wallet.credential.network)
    credential.credential_type = "wallet"
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True))


@recipe("duplicate-vault-records", fits=lambda soil: soil.initialised and soil.several)
def ours_has_a_second_record(bed: Bed) -> None:
    if (wallet := bed.ours()) is None or wallet.credential.key is None:
        return
    key = wallet.credential.key
    second = bed.rng.choice(("placeholder", "same text", "other key", "its key"))
    if second == "placeholder":
        bed.record(wallet.credential, texts.placeholder(bed.rng), bed.soil.methods[0])
    elif second == "same text":
        bed.record(wallet.credential, wallet.record.text)
    else:
        held = key if second == "its key" else bed.other_key(key)
        bed.record(wallet.credential, texts.clear_key(bed.rng, held, derives=held is key))


@recipe("orphan-vault-record", fits=lambda soil: soil.initialised and soil.orphans)
def ours_lost_its_credential(bed: Bed) -> None:
    """The credential was deleted; its record stays, and opens."""
    if (wallet := bed.ours()) is not None:
        bed.ledger.credentials.remove(wallet.credential)


# --- history -------------------------------------------------------------------------------------------------


@recipe("foreign-history", fits=initialised)
def foreign_history(bed: Bed) -> None:
    """A text of another application is kept, of a wallet that is there or of one that is gone."""
    key = bed.key()
    credential = bed.credential(key)
    bed.record(credential, texts.clear_key(bed.rng, key, derives=True))
    own = bed.chance(0.6)
    held = key if own else bed.other_key(key)
    text = texts.unreadable(bed.rng) if bed.chance(0.2) else texts.clear_key(bed.rng, held, derives=own)
    entry = bed.entry(credential, text)
    if bed.chance(0.2):
        entry.credential = bed.uuid()


@recipe("foreign-history", fits=initialised)
def lost_with_its_key_in_the_history(bed: Bed) -> None:
    key = bed.key()
    credential = bed.credential(key, vault_stored=False)
    bed.entry(credential, texts.clear_key(bed.rng, key, derives=True))
    if bed.chance(0.5):
        bed.record(credential, texts.placeholder(bed.rng))


@recipe("foreign-history", fits=initialised, cost="kdf")
def locked_text_in_the_history(bed: Bed) -> None:
    key = bed.key("evm")
    credential = bed.credential(key, vault_stored=False)
    password = locked.LEGACY_PASSWORD if bed.chance(0.6) else locked.LOST_PASSWORD
    bed.entry(credential, locked.envelope_of_key(bed.rng, key, derives=True, password=password))


@recipe("foreign-history", fits=initialised)
def ours_with_a_foreign_past(bed: Bed) -> None:
    if (wallet := bed.ours()) is None or wallet.credential.key is None:
        return
    bed.entry(wallet.credential, texts.clear_key(bed.rng, wallet.credential.key, derives=True))
