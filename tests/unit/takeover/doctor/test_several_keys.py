"""Texts that hold several keys: each is read, whatever the list is written in, and the others are not forgotten."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence

import pytest

from strongroom.takeover.doctor.key_texts import KeyText, KeyTextKind, read
from strongroom.takeover.doctor.remainders import holds_more
from testbed.networks.key_forms import BITCOIN_FORMS, DERIVATION, SOLANA_FORMS, Family, address_of, target_of

ETHEREUM: Family = ("ethereum", None)
KEYS = tuple(bytes.fromhex(f"{number:02x}" * 31 + "07") for number in (0x3A, 0x5C, 0x7E))
HEX = tuple(f"0x{key.hex()}" for key in KEYS)
ADDRESSES = tuple(address_of(ETHEREUM, key) for key in KEYS)
LISTS: Mapping[str, Callable[[Sequence[str]], str]] = {
    "a JSON array": json.dumps,
    "a member": lambda keys: json.dumps({"privateKeys": keys}),
    "a member of another name": lambda keys: json.dumps({"accounts": keys}),
    "Python": lambda keys: repr(tuple(keys)),
    "numbered": lambda keys: json.dumps(dict(enumerate(keys))),
    "with other things": lambda keys: json.dumps([1, None, *keys, "hot"]),
    "lists in a list": lambda keys: json.dumps([list(keys[:2]), list(keys[2:])]),
    "lists in lists of a member": lambda keys: json.dumps({"all": [[[each] for each in keys]]}),
    "addresses and keys": lambda keys: json.dumps(list(zip(ADDRESSES, keys, strict=True))),
    "addresses and keys of a member": lambda keys: json.dumps({"keys": list(zip(ADDRESSES, keys, strict=True))}),
    "numbers": lambda keys: json.dumps([int(each, 16) for each in keys]),
    "numbers of a member": lambda keys: json.dumps({"privateKeys": [int(each, 16) for each in keys]}),
    "bytes": lambda keys: json.dumps([list(bytes.fromhex(each[2:])) for each in keys]),
    "blanks": " ".join,
    "lines": "\n".join,
    "lines of YAML": lambda keys: "".join(f"- {each}\n" for each in keys),
    "lines without 0x": lambda keys: "\n".join(each[2:] for each in keys),
    "an array of PostgreSQL": lambda keys: f"{{{','.join(keys)}}}",
    "lines of JSON": lambda keys: "\n".join(json.dumps({"privateKey": each}) for each in keys),
    "brackets": lambda keys: f"{keys[0]} (old: {keys[1]}) ({keys[2]})",
    "a word behind each": lambda keys: "\n".join(f"{each} # {number}" for number, each in enumerate(keys)),
}
WRAPPED: Mapping[str, Callable[[str], str]] = {
    "bare": str,
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "JSON": lambda text: json.dumps({"value": text}),
}


def found_for(text: str, family: Family, address: str) -> tuple[KeyText, bool, bool]:
    """The text as it is read for an address, whether that comes out, and whether more is in it."""
    target = target_of(family, address)
    found = DERIVATION.reading(read(text), target)
    content = DERIVATION.explain(found, target)
    return found, content is not None and content.derives, holds_more(found, content, DERIVATION)


@pytest.mark.parametrize("wrapped", WRAPPED)
@pytest.mark.parametrize("form", LISTS)
def test_each_of_several_keys_is_read_and_none_is_taken_alone(form: str, wrapped: str) -> None:
    text = WRAPPED[wrapped](LISTS[form](HEX))
    for address in ADDRESSES:
        found, derives, more = found_for(text, ETHEREUM, address)
        assert (derives, more) == (True, True), address
        assert found.kind in (KeyTextKind.KEY, KeyTextKind.ENCODED)


@pytest.mark.parametrize(
    "others",
    [{"keys": [HEX[1]] * 3}, {"wallets": [[{"private_key": HEX[1]}]]}, {"notes": [["a", [HEX[1]]], 7]}],
)
def test_a_list_next_to_the_own_key_is_not_forgotten(others: dict[str, object]) -> None:
    assert found_for(json.dumps({"private_key": HEX[0], **others}), ETHEREUM, ADDRESSES[0])[1:] == (True, True)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps([HEX[0], ADDRESSES[0], "hot"]),
        json.dumps({"privateKey": HEX[0], "balances": [1, 20, 300, 4000]}),
        json.dumps({"privateKey": HEX[0], "balances": list(range(2000))}),
        f"{HEX[0]} # hot",
        f"{HEX[0]}\n{ADDRESSES[0]}",
        f"- {HEX[0]}\n",
    ],
)
def test_what_is_no_other_key_holds_nothing_up(text: str) -> None:
    assert found_for(text, ETHEREUM, ADDRESSES[0])[1:] == (True, False)


OTHERWISE: Mapping[str, Callable[[str], str]] = {
    "UTF-16 in base64, without its mark": lambda text: base64.b64encode(text.encode("utf-16-le")).decode(),
    "UTF-16, the other one": lambda text: base64.b64encode(text.encode("utf-16-be")).decode(),
    "line ends that are written out": lambda text: f"{text}\\n",
    "quotes and a line end": lambda text: f"KEY={text}\\r\\n",
    "JavaScript": lambda text: f"{{ privateKey: '{text}', mnemonic: null }}",
    "JavaScript, one member": lambda text: f"{{privateKey: '{text}'}}",
    "JavaScript in lines": lambda text: f"{{\n  address: '{ADDRESSES[0]}',\n  privateKey: '{text}',\n  ok: true\n}}",
    "a comma": lambda text: f"{text},",
    "a full stop": lambda text: f"{text}.",
    "angle brackets": lambda text: f"<{text}>",
    "an array of PostgreSQL": lambda text: f"{{{text}}}",
    "a row of PostgreSQL": lambda text: f"({text},ethereum,t)",
    "hstore": lambda text: f'"privateKey"=>"{text}", "network"=>"eth"',
    "Ruby": lambda text: f'{{:private_key=>"{text}"}}',
    "an address of the web": lambda text: f"https://x.example/?privateKey={text}",
    "HTML": lambda text: f"&quot;{text}&quot;",
    "JavaScript in itself": lambda text: f'{{ wallet: {{ privateKey: "{text}" }} }}',
}


@pytest.mark.parametrize("form", OTHERWISE)
def test_a_key_in_other_wrappings_derives_its_address(form: str) -> None:
    for written in (HEX[0], KEYS[0].hex()):
        assert found_for(OTHERWISE[form](written), ETHEREUM, ADDRESSES[0])[1:] == (True, False)


PROVED = {
    **{f"bitcoin, {form}": BITCOIN_FORMS[form](KEYS[0]) for form in BITCOIN_FORMS if form.startswith("WIF")},
    **{f"solana, {form}": SOLANA_FORMS[form](KEYS[0]) for form in SOLANA_FORMS if form.startswith("keypair")},
}


@pytest.mark.parametrize("form", PROVED)
@pytest.mark.parametrize("name", ["backup", "account", "note"])
def test_what_its_checksum_says_is_a_key_is_one_under_any_name(form: str, name: str) -> None:
    """Hexadecimal digits may be a hash; these are private keys, of whatever wallet."""
    value = json.loads(PROVED[form]) if PROVED[form].startswith("[") else PROVED[form]
    target = target_of(ETHEREUM, ADDRESSES[1])
    content = DERIVATION.explain(read(json.dumps({name: value})), target)
    assert content is not None
    assert (content.derives, content.key is not None and content.key.reveal()) == (False, KEYS[0])
    assert DERIVATION.explain(read(json.dumps({name: KEYS[0].hex()})), target) is None
