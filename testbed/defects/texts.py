"""Texts as older code wrote them, each with what it truly holds. Nothing here reads a text: the truth is known."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import quote
from uuid import UUID

from bip_utils import Base58Encoder, WifEncoder, WifPubKeyModes
from solders.keypair import Keypair

from testbed.defects.keys import FORKS, KnownKey, random_phrase
from testbed.networks import bitcoin_chains

Form = Literal["placeholder", "sealed", "envelope", "keystore", "key", "phrase", "encoded", "encrypted", "unreadable"]

PLACEHOLDERS = ("", "MIGRATION_REQUIRED", "PRIVATE_KEY_NOT_RECOVERABLE")
LONGEST = 65_536
_SECP256K1_ONLY = frozenset({"wif", "wif uncompressed", "wif testnet"})
_TELLS_BY_ADDRESS = frozenset({"base58 seed", "array seed"})
"""Forms that look like a public key: keys only where they derive the stored address."""


@dataclass(frozen=True)
class Header:
    """What the protected header of a sealed text says, in the order in which it says it."""

    kid: str
    project: UUID
    credential: UUID
    network: str
    address: str
    """As the row spelled it when it was sealed."""

    def names(self, key: KnownKey | None) -> bool:
        """Whether it names a key's address, in whatever case where that makes no difference."""
        return key is not None and address_mark(self.address) == address_mark(key.address)


def address_mark(address: str) -> str:
    """What is equal for two spellings of one address."""
    return address.lower() if address.startswith("0x") else address


@dataclass(frozen=True)
class Text:
    """A stored text and the truth about it; its ``repr`` shows nothing of either."""

    form: Form
    value: str | None = field(repr=False)
    secret: bytes | None = field(default=None, repr=False)
    """The private key that is in it; of an unreadable text one that shows itself only by deriving an address."""
    phrase: str | None = field(default=None, repr=False)
    """The phrase that is in it; where there is a secret too, the secret counts."""
    password: str | None = field(default=None, repr=False)
    """What opens an envelope or a keystore."""
    header: Header | None = None
    broken: Literal["form", "bits"] | None = None
    """Of a sealed text: whether its form shows the damage, or only opening it does."""


def placeholder(rng: random.Random, *, null: bool = False) -> Text:
    """One of the words that stand where a key should."""
    return Text("placeholder", None if null else rng.choice(PLACEHOLDERS))


# --- keys and phrases in plaintext -------------------------------------------------------------------------------


def clear_key(rng: random.Random, key: KnownKey, *, derives: bool) -> Text:
    """A private key in plaintext. ``derives`` says whether it is the key of the address in the same
    row."""
    return Text("key", written(rng, key, derives=derives), secret=key.secret)


def written(rng: random.Random, key: KnownKey, *, derives: bool) -> str:
    """A private key in one of the forms of its network, seldom in another's."""
    secp256k1 = ["hex", "0x", "HEX"]
    forms = {
        "bitcoin": ["wif", "wif", "wif uncompressed", *secp256k1],
        "bitcoin-testnet": ["wif testnet", "wif testnet", "hex"],
        **{name: [f"wif {name}", f"wif {name}", "hex"] for name in FORKS},
        "solana": ["keypair", "array", "hex 128", "0x 128", "hex", "base58 seed", "array seed"],
    }.get(key.networks[0], [*secp256k1, *secp256k1, "wif", "keypair"])
    return spelled(key.secret, rng.choice([form for form in forms if derives or form not in _TELLS_BY_ADDRESS]))


def spelled(secret: bytes, form: str) -> str:
    """32 bytes in a named form."""
    pair = bytes(Keypair.from_seed(secret))
    if form.removeprefix("wif ") in FORKS:
        return bitcoin_chains.wif(form.removeprefix("wif "))(secret)
    if form in _SECP256K1_ONLY:
        mode = WifPubKeyModes.UNCOMPRESSED if form.endswith("uncompressed") else WifPubKeyModes.COMPRESSED
        return _wif(secret, b"\xef" if form.endswith("testnet") else b"\x80", mode)
    return {
        "hex": secret.hex(),
        "0x": f"0x{secret.hex()}",
        "HEX": secret.hex().upper(),
        "keypair": _base58(pair),
        "array": json.dumps(list(pair)),
        "hex 128": pair.hex(),
        "0x 128": f"0x{pair.hex()}",
        "base58 seed": _base58(secret),
        "array seed": json.dumps(list(secret), separators=(",", ":")),
    }[form]


def written_otherwise(rng: random.Random, key: KnownKey, *, derives: bool) -> Text:
    """A key as applications write it that do not know how wallets do: only deriving the address shows most of them."""
    secret, number = key.secret, int.from_bytes(key.secret)
    numbers = ",".join(map(str, secret))
    signed = json.dumps([each - 256 if each > 127 else each for each in secret])
    pair = bytes(Keypair.from_seed(secret))
    doubtful = [f"00{secret.hex()}", str(number), numbers, signed, f"<Buffer {secret.hex(' ')}>", f"[{numbers}]"]
    doubtful += [f"{number:x}"] if secret[0] < 16 else []
    clear = [f'"{secret.hex()}"', f"\\x{secret.hex()}", f"\ufeff{secret.hex()}", f"PRIVATE_KEY=0x{secret.hex()}"]
    clear += [", ".join(map(str, pair))]
    twice = base64.b64encode(base64.b64encode(secret.hex().encode())).decode()
    encoded = [json.dumps({"address": "?", "privateKey": secret.hex()}), twice, secret.hex().encode().hex()]
    encoded += [json.dumps({"type": "Buffer", "data": list(pair)}), json.dumps({str(n): b for n, b in enumerate(pair)})]
    in_json = [json.dumps({"type": "Buffer", "data": list(secret)}), json.dumps({"secret": number})]
    forms: list[tuple[Form, list[str]]] = [("key", clear), ("encoded", encoded)]
    forms += [("key", doubtful), ("encoded", in_json)] if derives else [("unreadable", doubtful + in_json)]
    form, values = rng.choice(forms)
    return Text(form, rng.choice(values), secret=secret)


def written_by_languages(rng: random.Random, key: KnownKey, *, derives: bool) -> Text:
    """A key as programs print it, or files hold it: in literals, calls, CSV, XML, data URIs and other encodings."""
    secret, digits = key.secret, key.secret.hex()
    clear = [f"HexBytes('0x{digits}')", repr(digits.encode()), f"PrivateKey(0x{digits})"]
    clear += [
        f"<wallet><privateKey>{digits}</privateKey></wallet>",
        "".join(chr(ord(each) + 0xFEE0) for each in digits),
    ]
    encoded = [json.dumps([{"privateKey": digits}]), repr({"privateKey": f"0x{digits}", "index": 0, "path": None})]
    encoded += [f"data:text/plain;base64,{base64.b64encode(digits.encode()).decode()}"]
    encoded += [quote(json.dumps({"key": digits})), base64.b32encode(digits.encode()).decode()]
    doubtful = [f"{key.address}:{digits}", f"7,{key.address},0x{digits}", f"{int.from_bytes(secret):_}", repr(secret)]
    decoded = [repr({"private_key": secret}), base64.b32encode(secret).decode()]
    decoded += ["".join(f"%{each:02x}" for each in secret), quote(base64.b64encode(secret).decode(), safe="")]
    forms: list[tuple[Form, list[str]]] = [("key", clear), ("encoded", encoded)]
    forms += [("key", doubtful), ("encoded", decoded)] if derives else [("unreadable", doubtful + decoded)]
    form, values = rng.choice(forms)
    return Text(form, rng.choice(values), secret=secret)


def phrase_written_otherwise(rng: random.Random, phrase: str) -> Text:
    """An English phrase with capitals, other separators, as JSON, or abbreviated."""
    words = phrase.split()
    if rng.random() < 0.3:
        return Text("encoded", json.dumps({"mnemonic": rng.choice((phrase, words))}), phrase=phrase)
    value = rng.choice(
        (
            phrase.upper(),
            f'"{phrase}"',
            ", ".join(words),
            "\n".join(words),
            json.dumps(words),
            " ".join(word[:4] for word in words),
            " ".join(f"{number}. {word}" for number, word in enumerate(words, 1)),
        )
    )
    return Text("phrase", value, phrase=phrase)


def clear_phrase(rng: random.Random, phrase: str) -> Text:
    """A phrase in plaintext, sometimes behind a stray 0x."""
    return Text("phrase", f"0x{phrase}" if rng.random() < 0.3 else phrase, phrase=phrase)


def encoded(rng: random.Random, key: KnownKey, *, derives: bool, phrase: str | None = None) -> Text:
    """Base64 of a text, or of raw bytes where these derive the address."""
    if phrase is not None:
        return Text("encoded", _base64(rng, phrase.encode()), phrase=phrase)
    if derives and rng.random() < 0.4:
        solana = key.networks == ("solana",)
        raw = bytes(Keypair.from_seed(key.secret)) if solana and rng.random() < 0.5 else key.secret
        return Text("encoded", _base64(rng, raw), secret=key.secret)
    form = rng.choice(["hex", "0x", "wif"] if key.networks != ("solana",) else ["keypair", "array", "hex 128"])
    return Text("encoded", _base64(rng, spelled(key.secret, form).encode()), secret=key.secret)


def _base64(rng: random.Random, raw: bytes) -> str:
    text = (base64.b64encode if rng.random() < 0.5 else base64.urlsafe_b64encode)(raw).decode()
    return text if rng.random() < 0.5 else text.rstrip("=")


def _base58(raw: bytes) -> str:
    return str(Base58Encoder.Encode(raw))


def _wif(secret: bytes, version: bytes, mode: object) -> str:
    return str(WifEncoder.Encode(secret, version, mode))


# --- what nothing explains -----------------------------------------------------------------------------------

_DAMAGES = 15
_ENCRYPTED = (0, 10)
"""Damages that are encryption by something else than strongroom."""


def unreadable(rng: random.Random, damage: int | None = None) -> Text:
    """A text of no form: near misses of every form, and noise."""
    secret, other = rng.randbytes(32), rng.randbytes(32)
    halves = secret + other
    chosen = rng.randrange(_DAMAGES) if damage is None else damage
    value = (
        lambda: "U2FsdGVkX1+" + base64.b64encode(rng.randbytes(40)).decode(),
        lambda: secret.hex()[:-1],
        lambda: f"0x0x{secret.hex()}",
        lambda: halves.hex(),
        lambda: _base58(halves),
        lambda: json.dumps(list(halves)),
        lambda: json.dumps(list(halves[:63])),
        lambda: _near_miss(_wif(_low(secret), b"\x80", WifPubKeyModes.COMPRESSED)),
        lambda: " ".join(random_phrase(rng, "english").split()[:-1]),
        lambda: " ".join(["zoo"] * 12),
        lambda: json.dumps({"salt": secret.hex(), "iv": "00", "encrypted": other.hex()}),
        lambda: _base64(rng, halves[:32]),
        lambda: _base58(secret),
        lambda: " " * LONGEST + secret.hex(),
        lambda: f"vault_{rng.getrandbits(64):016x}",
    )[chosen]()
    return Text("encrypted" if chosen in _ENCRYPTED else "unreadable", value)


def encrypted(rng: random.Random) -> Text:
    """A text that strongroom did not encrypt, in one of the forms that say so."""
    noise = rng.randbytes(160)
    iv, tag, ciphertext = noise[:12], noise[12:28], noise[28:92]
    value = rng.choice(
        (
            lambda: base64.b64encode(b"Salted__" + noise[:56]).decode(),
            lambda: ":".join(part.hex() for part in (iv, tag, ciphertext)),
            lambda: ":".join(base64.b64encode(part).decode() for part in (iv, tag, ciphertext)),
            lambda: base64.urlsafe_b64encode(b"\x80\0\0\0\x66" + noise[:116]).decode(),
            lambda: "vault:v1:" + base64.b64encode(noise).decode(),
            lambda: base64.b64encode(bytes.fromhex("0102020078") + noise).decode(),
            lambda: (
                "-----BEGIN PGP MESSAGE-----\n\n" + base64.b64encode(noise).decode() + "\n-----END PGP MESSAGE-----"
            ),
            lambda: "6PRVWUbkzzsbcVac2qwfssoUJAN1Xhrg6bNk8J7Nzm5H7kxEbn2Nh2ZoGg",
            lambda: json.dumps({"iv": iv.hex(), "content": ciphertext.hex(), "tag": tag.hex()}),
            lambda: f"{iv.hex()}.{ciphertext.hex()}",
            lambda: ".".join(base64.b64encode(part).decode() for part in (iv, ciphertext)),
            lambda: "enc:v2:" + base64.b64encode(ciphertext).decode(),
            lambda: "{cipher}" + ciphertext.hex(),
        )
    )()
    return Text("encrypted", value)


def _low(secret: bytes) -> bytes:
    return b"\x01" + secret[1:]


def _near_miss(text: str) -> str:
    """The same text with another last character: its checksum is wrong."""
    return text[:-1] + ("2" if text[-1] != "2" else "3")


# --- sealed texts that no keyring opens ----------------------------------------------------------------------


def sealed_unknown(rng: random.Random, header: Header) -> Text:
    """A sealed text of a keyring that is not here: form and header are right, the rest is noise."""
    return Text(
        "sealed",
        ".".join((header_text(header), *(_b64url(rng.randbytes(n)) for n in (40, 12, 180, 16)))),
        header=header,
    )


def random_kid(rng: random.Random) -> str:
    """The name of a sealing key that nobody has."""
    return _b64url(rng.randbytes(16))


def header_text(header: Header) -> str:
    """The first part of a sealed text."""
    members = {
        "kid": header.kid,
        "alg": "A256KW",
        "enc": "A256GCM",
        "typ": "strongroom+1",
        "project": str(header.project),
        "credential": str(header.credential),
        "network": header.network,
        "address": header.address,
    }
    return _b64url(json.dumps(members, separators=(",", ":")).encode())


def break_form(rng: random.Random, text: Text) -> Text:
    """Damage a sealed text so that its form shows it."""
    value = text.value or ""
    parts = value.split(".")
    damaged = rng.choice(
        (
            ".".join(parts[:4]),
            ".".join(parts[:3]),
            parts[0],
            ".".join((parts[0][:30], *parts[1:])),
            ".".join((parts[0], parts[1][:-4], *parts[2:])),
            "eyJraWQiOi",
        )
    )
    return Text("sealed", damaged, header=None, broken="form")


def break_bits(text: Text) -> Text:
    """Change one character of a sealed text's ciphertext: only its sealing key can tell."""
    parts = (text.value or "").split(".")
    middle = len(parts[3]) // 2
    other = "A" if parts[3][middle] != "A" else "B"
    parts[3] = parts[3][:middle] + other + parts[3][middle + 1 :]
    return Text("sealed", ".".join(parts), secret=text.secret, phrase=text.phrase, header=text.header, broken="bits")


def _b64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
