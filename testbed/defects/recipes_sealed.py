"""Defects of sealed texts: those of wallets that strongroom made here, and those of a keyring that is not here."""

from __future__ import annotations

from dataclasses import replace

from testbed.defects import locked, texts
from testbed.defects.database_builder import DatabaseBuilder, Ours, SchemaTraits
from testbed.defects.keys import kind_of
from testbed.defects.recipes import recipe


def initialised(traits: SchemaTraits) -> bool:
    """Whether there is a keyring."""
    return traits.initialised


def with_history(traits: SchemaTraits) -> bool:
    """Whether every text of ours is kept a second time."""
    return traits.history


# --- a keyring that is not here ------------------------------------------------------------------------------


@recipe("unknown-sealing-key")
def sealed_under_an_unknown_key(builder: DatabaseBuilder) -> None:
    credential = builder.credential()
    method = builder.rng.choice(builder.traits.methods) if builder.chance(0.3) else "AES-256-GCM"
    builder.record(credential, texts.sealed_unknown(builder.rng, builder.header(credential)), method)


@recipe("sealed-elsewhere")
def sealed_for_another_under_an_unknown_key(builder: DatabaseBuilder) -> None:
    credential = builder.credential()
    elsewhere = replace(
        builder.header(credential),
        credential=builder.uuid(),
        project=builder.uuid(),
        address=builder.key("evm").address,
    )
    builder.record(credential, texts.sealed_unknown(builder.rng, elsewhere))


@recipe("identity-changed")
def changed_under_an_unknown_key(builder: DatabaseBuilder) -> None:
    credential = builder.credential()
    header = builder.header(credential)
    other = builder.rng.choice(
        (
            replace(header, project=builder.uuid()),
            replace(header, address=builder.key("evm").address, network="ethereum"),
            replace(header, network="bnb" if header.network != "bnb" else "base"),
        )
    )
    builder.record(credential, texts.sealed_unknown(builder.rng, other))


@recipe("unreadable")
def sealed_form_is_broken(builder: DatabaseBuilder) -> None:
    credential = builder.credential()
    whole = texts.sealed_unknown(builder.rng, builder.header(credential))
    builder.record(credential, texts.break_form(builder.rng, whole))


@recipe("key-in-metadata")
def sealed_text_in_metadata(builder: DatabaseBuilder) -> None:
    """A sealed text there is told, whoever sealed it, and so is a key next to it."""
    key = builder.key()
    credential = builder.credential(key)
    credential.members["private_key_encrypted"] = texts.sealed_unknown(builder.rng, builder.header(credential))
    if builder.chance(0.5):
        credential.members["vault_storage"] = texts.clear_key(builder.rng, key, derives=True)
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True))


# --- wallets of ours ------------------------------------------------------------------------------------------


def _empty(builder: DatabaseBuilder, wallet: Ours) -> None:
    """What an older application does to a record of ours: overwrite it, or delete it."""
    if builder.chance(0.5):
        wallet.record.text = texts.placeholder(builder.rng)
    else:
        builder.forget([wallet.record])


@recipe("missing-vault-record", fits=initialised)
def ours_is_lost(builder: DatabaseBuilder) -> None:
    """Where every text is kept a second time it is not lost, unless that was deleted too."""
    if (wallet := builder.ours()) is None:
        return
    _empty(builder, wallet)
    if builder.chance(0.5):
        builder.forget(wallet.entries)


@recipe("sealed-elsewhere", fits=initialised)
def ours_stands_elsewhere(builder: DatabaseBuilder) -> None:
    """Moved to another row, copied there, or swapped with another text."""
    one, other = builder.ours(), builder.ours()
    if one is None or other is None:
        return
    here, there = one.record.text, other.record.text
    other.record.text = here
    how = builder.rng.choice(("copy", "swap", "move"))
    if how == "swap":
        one.record.text = there
    elif how == "move":
        _empty(builder, one)


@recipe("identity-changed", fits=initialised)
def identity_of_ours_changed(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is None:
        return
    credential = wallet.credential
    what = builder.rng.choice(("project", "network", "address", "invalid address", "several"))
    if what in ("project", "several"):
        credential.project = builder.uuid()
    if what in ("network", "several") and credential.key is not None and "polygon" in credential.key.networks:
        credential.network = "polygon" if credential.network != "polygon" else "mantle"
    elif what == "network":
        credential.network = "a-chain-of-the-future"  # the address still tells: nothing is found
    if what == "address" and credential.key is not None:
        credential.key = builder.other_key(credential.key)
        credential.wallet_address = credential.key.address
    if what == "invalid address":
        credential.key, credential.wallet_address = None, "unknown"


@recipe("identity-changed", fits=initialised)
def public_half_of_ours_changed(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is None:
        return
    credential = wallet.credential
    metadata = dict(credential.metadata or {})
    what = builder.rng.choice(("public key", "path", "scheme"))
    if what == "public key":
        credential.public_key = "02" + builder.rng.randbytes(32).hex()
    elif what == "path":
        metadata["path"] = "m/44'/60'/0'/0/9"
    else:
        metadata["scheme"] = "bip49" if metadata.get("scheme") != "bip49" else "bip84"
    credential.metadata, credential.tampered = metadata, True


@recipe("unreadable", fits=initialised)
def ours_is_damaged(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is None:
        return
    text = wallet.record.text
    wallet.record.text = texts.break_bits(text) if builder.chance(0.6) else texts.break_form(builder.rng, text)
    builder.forget(wallet.entries)


@recipe("unreadable", fits=with_history)
def ours_is_overwritten(builder: DatabaseBuilder) -> None:
    """By noise, while the history still has it."""
    if (wallet := builder.ours()) is not None:
        wallet.record.text = texts.unreadable(builder.rng, builder.rng.randrange(10))


@recipe("wrong-label", fits=initialised)
def label_of_ours_changed(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is not None:
        wallet.record.method = builder.rng.choice([each for each in builder.traits.methods if each != "AES-256-GCM"])


@recipe("stored-flag-wrong", fits=initialised)
def flag_of_ours_changed(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is not None:
        wallet.credential.vault_stored = False


@recipe("live-after-revoke", fits=initialised)
def ours_is_revoked_by_half(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is not None:
        wallet.credential.is_active, wallet.credential.status = False, "revoked"


@recipe("key-in-metadata", fits=initialised)
def key_of_ours_in_metadata(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is not None and wallet.credential.key is not None:
        clear = texts.clear_key(builder.rng, wallet.credential.key, derives=True)
        wallet.credential.members["private_key_encrypted"] = clear


@recipe("plaintext-key", fits=initialised)
def ours_is_overwritten_in_plaintext(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is not None and wallet.credential.key is not None:
        key = wallet.credential.key
        held = key if builder.chance(0.6) else builder.other_key(key)
        wallet.record.text = texts.clear_key(builder.rng, held, derives=held is key)


@recipe("shared-key", fits=initialised)
def key_of_ours_in_another_row(builder: DatabaseBuilder) -> None:
    """Whether it is one key can be told with the root key alone."""
    if (wallet := builder.ours()) is None or wallet.credential.key is None:
        return
    key = wallet.credential.key
    builder.record(builder.credential(key), texts.clear_key(builder.rng, key, derives=True))


@recipe("duplicate-live", fits=initialised)
def ours_is_not_alone(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is None or wallet.credential.key is None:
        return
    key = builder.key(kind_of(wallet.credential.key))
    credential = builder.credential(key, project=wallet.credential.project, network=wallet.credential.network)
    credential.credential_type = "wallet"
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True))


@recipe("duplicate-vault-records", fits=lambda traits: traits.initialised and traits.several)
def ours_has_a_second_record(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is None or wallet.credential.key is None:
        return
    key = wallet.credential.key
    second = builder.rng.choice(("placeholder", "same text", "other key", "its key"))
    if second == "placeholder":
        builder.record(wallet.credential, texts.placeholder(builder.rng), builder.traits.methods[0])
    elif second == "same text":
        builder.record(wallet.credential, wallet.record.text)
    else:
        held = key if second == "its key" else builder.other_key(key)
        builder.record(wallet.credential, texts.clear_key(builder.rng, held, derives=held is key))


@recipe("orphan-vault-record", fits=lambda traits: traits.initialised and traits.orphans)
def ours_lost_its_credential(builder: DatabaseBuilder) -> None:
    """The credential was deleted; its record stays, and opens."""
    if (wallet := builder.ours()) is not None:
        builder.truth.credentials.remove(wallet.credential)


# --- history -------------------------------------------------------------------------------------------------


@recipe("foreign-history", fits=initialised)
def foreign_history(builder: DatabaseBuilder) -> None:
    """A text of the legacy application is kept, of a wallet that is there or of one that is gone."""
    key = builder.key()
    credential = builder.credential(key)
    builder.record(credential, texts.clear_key(builder.rng, key, derives=True))
    own = builder.chance(0.6)
    held = key if own else builder.other_key(key)
    text = texts.unreadable(builder.rng) if builder.chance(0.2) else texts.clear_key(builder.rng, held, derives=own)
    entry = builder.entry(credential, text)
    if builder.chance(0.2):
        entry.credential = builder.uuid()


@recipe("foreign-history", fits=initialised)
def lost_with_its_key_in_the_history(builder: DatabaseBuilder) -> None:
    key = builder.key()
    credential = builder.credential(key, vault_stored=False)
    builder.entry(credential, texts.clear_key(builder.rng, key, derives=True))
    if builder.chance(0.5):
        builder.record(credential, texts.placeholder(builder.rng))


@recipe("foreign-history", fits=initialised, cost="kdf")
def locked_text_in_the_history(builder: DatabaseBuilder) -> None:
    key = builder.key("evm")
    credential = builder.credential(key, vault_stored=False)
    password = locked.LEGACY_PASSWORD if builder.chance(0.6) else locked.LOST_PASSWORD
    builder.entry(credential, locked.envelope_of_key(builder.rng, key, derives=True, password=password))


@recipe("foreign-history", fits=initialised)
def ours_with_a_foreign_past(builder: DatabaseBuilder) -> None:
    if (wallet := builder.ours()) is None or wallet.credential.key is None:
        return
    builder.entry(wallet.credential, texts.clear_key(builder.rng, wallet.credential.key, derives=True))
