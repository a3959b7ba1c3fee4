"""Keys as languages and file formats write them: each is read, and nothing else is taken for one."""

from __future__ import annotations

import base64
import json
import random
import time
import warnings
from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from strongroom.takeover.doctor.key_texts import IN_PLAINTEXT, KeyText, KeyTextKind, read
from strongroom.takeover.doctor.remainders import holds_more
from testbed.networks.key_forms import BITCOIN_FORMS, DERIVATION, SOLANA_FORMS, Family, address_of, target_of

KEY = bytes.fromhex("1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727")
OTHER = bytes.fromhex("2bc42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b728")
PHRASE = "enlist essence novel wonder give inquiry saddle frog immune real tent couch"
ETHEREUM: Family = ("ethereum", None)
SOLANA: Family = ("solana", None)
BITCOIN: Family = ("bitcoin", "default")
HEX, ADDRESS = KEY.hex(), address_of(ETHEREUM, KEY)
BASE64 = base64.b64encode(HEX.encode()).decode()
FULL_WIDTH = {ord(each): ord(each) + 0xFEE0 for each in "0123456789abcdefx"}
WIF = BITCOIN_FORMS["WIF"](KEY)
PAIR = SOLANA_FORMS["keypair in base58"](KEY)

FORMS = {
    "a list of objects": json.dumps([{"privateKey": HEX, "address": ADDRESS}]),
    "objects in an object": json.dumps({"accounts": [{"privateKey": f"0x{HEX}", "address": ADDRESS}]}),
    "a dict": repr({"privateKey": f"0x{HEX}", "address": ADDRESS, "index": 0, "path": None, "default": True}),
    "a dict with bytes": repr({"private_key": KEY}),
    "a dict with a call": f"{{'privateKey': HexBytes('0x{HEX}'), 'address': '{ADDRESS}'}}",
    "a list of dicts": repr([{"key": f"0x{HEX}"}]),
    "a tuple": repr((ADDRESS, HEX)),
    "a set": repr({HEX}),
    "bytes": repr(KEY),
    "bytes of a text": repr(HEX.encode()),
    "bytes in hex escapes": "b'" + "".join(f"\\x{each:02x}" for each in KEY) + "'",
    "bytearray": repr(bytearray(KEY)),
    "HexBytes": f"HexBytes('0x{HEX}')",
    "a call": f"PrivateKey(0x{HEX})",
    "a call in double quotes": f'bytes.fromhex("{HEX}")',
    "Buffer.from": f"Buffer.from('{HEX}', 'hex')",
    "address:key": f"{ADDRESS}:{HEX}",
    "address key": f"{ADDRESS} 0x{HEX}",
    "CSV": f"{ADDRESS},0x{HEX}",
    "CSV with a header": f"id,address,private_key\n7,{ADDRESS},{HEX}\n",
    "CSV in quotes": f'"{ADDRESS}";"{HEX}"',
    "tabs": f"main\t{ADDRESS}\t{HEX}",
    "XML": f"<privateKey>{HEX}</privateKey>",
    "XML, nested": f'<?xml version="1.0"?>\n<wallet address="{ADDRESS}"><key>0x{HEX}</key></wallet>',
    "an attribute": f'<key value="{HEX}"/>',
    "a data URI": f"data:text/plain;base64,{BASE64}",
    "a data URI of bytes": f"data:application/octet-stream;base64,{base64.b64encode(KEY).decode()}",
    "a data URI that is escaped": f"data:,{quote(json.dumps({'key': HEX}))}",
    "base32": base64.b32encode(KEY).decode(),
    "base32, small and unpadded": base64.b32encode(KEY).decode().lower().rstrip("="),
    "base32 of a text": base64.b32encode(HEX.encode()).decode(),
    "decimal with underscores": f"{int.from_bytes(KEY):_}",
    "hex with underscores": f"{int.from_bytes(KEY):_x}",
    "percent-escaped base64": quote(base64.b64encode(KEY).decode(), safe=""),
    "percent-escaped hex": "".join(f"%{each:02x}" for each in KEY),
    "percent-escaped JSON": quote(json.dumps({"key": HEX})),
    "full width": HEX.translate(FULL_WIDTH),
    "full width, with 0x": f"0x{HEX}".translate(FULL_WIDTH),
    "twice": json.dumps([repr({"privateKey": f"0x{HEX}"})]),
}
OTHER_FAMILIES = {
    "a WIF in CSV": (BITCOIN, f"{address_of(BITCOIN, KEY)},{WIF}"),
    "a WIF behind its address": (BITCOIN, f"{address_of(BITCOIN, KEY)}:{WIF}"),
    "a keypair in a dict": (SOLANA, repr({"secretKey": PAIR, "publicKey": address_of(SOLANA, KEY)})),
    "a keypair behind its address": (SOLANA, f"{address_of(SOLANA, KEY)}:{PAIR}"),
    "a list in a dict": (SOLANA, repr({"secretKey": json.loads(SOLANA_FORMS["keypair as array"](KEY))})),
}
IV, TAG, CIPHERTEXT = bytes(range(1, 13)), bytes(range(16)), random.Random(1).randbytes(80)
B64 = {name: base64.b64encode(data).decode() for name, data in (("iv", IV), ("tag", TAG), ("ct", CIPHERTEXT))}
ENCRYPTED = {
    "iv.ciphertext in hex": f"{IV.hex()}.{CIPHERTEXT.hex()}",
    "iv.ciphertext in base64": f"{B64['iv']}.{B64['ct']}",
    "an iv that looks as a word": f"{base64.b64encode(b'iikkkmmmmooo').decode()}.{B64['ct']}",
    "16 bytes of it, unpadded": f"{base64.b64encode(bytes(range(105, 121))).decode().rstrip('=')}.{B64['ct']}",
    "iv:ciphertext, url-safe": f"{B64['iv']}:{base64.urlsafe_b64encode(CIPHERTEXT).decode()}",
    "enc:v2:": f"enc:v2:{B64['ct']}",
    "enc:v2: in hex": f"enc:v2:{CIPHERTEXT.hex()}",
    "aes256gcm$": f"aes256gcm${B64['ct']}",
    "v1:kms:": f"v1:kms:{B64['ct']}",
    "enc:v1:iv:ct": f"enc:v1:{B64['iv']}:{B64['ct']}",
    "{cipher}": "{cipher}" + CIPHERTEXT.hex(),
    "a dict": repr({"iv": IV.hex(), "data": CIPHERTEXT.hex()}),
}
NOTHING = {
    "a dict without a key": repr({"status": "done", "count": 3}),
    "code": "__import__('os').system('true')",
    "a call of nothing": "wallet()",
    "two addresses": f"{ADDRESS},{address_of(ETHEREUM, OTHER)}",
    "XML with an entity": '<!DOCTYPE a [<!ENTITY b "c">]><key>&b;</key>',
    "XML that ends early": "<key>",
    "a data URI of an image": "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAE=",
}


def content(text: str, family: Family = ETHEREUM, key: bytes = KEY) -> tuple[KeyText, bool, bool]:
    """How a text is read; whether it derives the address of a key, and whether it holds more."""
    target = target_of(family, address_of(family, key))
    found = DERIVATION.reading(read(text), target)
    explained = DERIVATION.explain(found, target)
    return found, explained is not None and explained.derives, holds_more(found, explained, DERIVATION)


@pytest.mark.parametrize("form", FORMS)
def test_a_key_is_read_out_of_it_and_nothing_is_left(form: str) -> None:
    found, derives, more = content(FORMS[form])
    assert (found.kind in IN_PLAINTEXT, derives, more) == (True, True, False), found.form
    assert HEX[:8] not in found.form
    assert not content(FORMS[form], key=OTHER)[1]


@pytest.mark.parametrize("form", OTHER_FAMILIES)
def test_a_key_of_another_family_is_too(form: str) -> None:
    family, text = OTHER_FAMILIES[form]
    found, derives, more = content(text, family)
    assert (found.kind in IN_PLAINTEXT, derives, more) == (True, True, False), found.form


@pytest.mark.parametrize("wrap", ["{{'mnemonic': '{}'}}", "b'{}'", "<seed>{}</seed>", "main,{}", "Phrase('{}')"])
def test_a_phrase_is_read_out_of_it(wrap: str) -> None:
    found = read(wrap.format(PHRASE))
    assert any(each.phrase is not None for each in (found, *found.others)), found.form


@pytest.mark.parametrize("form", ENCRYPTED)
def test_what_something_else_encrypted_is_named(form: str) -> None:
    assert read(ENCRYPTED[form]).kind is KeyTextKind.ENCRYPTED


@pytest.mark.parametrize("form", NOTHING)
def test_what_holds_no_key_is_none(form: str) -> None:
    assert not content(NOTHING[form])[1]
    assert read(NOTHING[form]).kind in (KeyTextKind.UNREADABLE, KeyTextKind.ENCODED, KeyTextKind.KEY)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([{"privateKey": HEX}, {"privateKey": OTHER.hex()}]),
        repr({"privateKey": HEX, "backup": {"secret": OTHER.hex()}}),
        f"{ADDRESS},{HEX},{OTHER.hex()}",
        f"<w><key>{HEX}</key><key>{OTHER.hex()}</key></w>",
        f"{HEX}:{OTHER.hex()}",
    ],
)
def test_a_second_key_next_to_it_is_seen(text: str) -> None:
    _, derives, more = content(text)
    assert (derives, more) == (True, True)


@pytest.mark.parametrize("wrap", ["encrypted:{}", "enc:{}", "sealed={}"])
def test_a_prefix_that_says_encrypted_hides_no_key_in_plaintext(wrap: str) -> None:
    assert content(wrap.format(HEX))[1]


HOSTILE = [
    "(" * 4000 + ")" * 50,
    "[" * 2000 + "]" * 2000,
    "{'a':" * 700 + "1" + "}" * 700,
    "b'" + "\\x" * 2000 + "'",
    "a(" * 1300 + ")" * 1300,
    "%25" * 1300,
    "<a>" * 60 + "</a>" * 60,
    "<a " + "b='c' " * 600 + "/>",
    ",".join("x" * 30 for _ in range(130)),
    "\ufdfa" * 4000,
    "data:;base64," + "data:;base64," * 300,
    "1if 2else 3",
    "['\\d', 1if, 0x1for]",
    "-" * 2000 + "1",
    "[" + "-" * 3000 + "1]",
    "{'a': 9" + "9" * 4000 + "}",
    "{1: 2, (3, 4): b'5'}",
    "{[]: 1}",
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_reading_is_bounded_raises_nothing_and_warns_of_nothing(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        began = time.process_time()
        read(text)
        assert time.process_time() - began < 1


@given(st.text(st.sampled_from("[](){}'\"bBux\\0123456789abcdefHX,:;= \n<>/&%!_-.￦１"), max_size=60))
@example("b'\\N{DASH}'")
@example("{'a': 1_}")
@example("<a xmlns='b'/>")
def test_any_text_of_such_characters_is_read_without_an_error(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read(text)
    assert found.form == read(text).form, "the same text reads the same"
