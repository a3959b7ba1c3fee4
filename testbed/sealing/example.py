"""The worked example of docs/format.md, made again by strongroom from fixed bytes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

from strongroom.crypto import jwe, kdf, sealing
from strongroom.crypto.keyring import Keyring, kid_of
from strongroom.records.key_material import Identity, KeyMaterial
from strongroom.rootkeys import local
from strongroom.secret import Secret

DOCUMENT = Path(__file__).parents[2] / "docs" / "format.md"
ABANDON = "abandon " * 11 + "about"


def documented() -> dict[str, Any]:
    """The example as the document shows it."""
    found = re.findall(r"^```json\n(\{.*?^\})\n```$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert len(found) == 2, "docs/format.md has an example, and one of tags"
    example = json.loads(found[0])
    assert isinstance(example, dict)
    return example


def counting(start: int) -> Callable[[int], bytes]:
    """Random bytes for an example: they count upwards."""
    position = start

    def take(size: int) -> bytes:
        nonlocal position
        position += size
        return bytes(range(position - size, position))

    return take


def made() -> dict[str, Any]:
    """The example, made by strongroom."""
    root_key, sealing_key = Secret(bytes(range(32))), Secret(bytes(range(32, 64)))
    kid = kid_of(sealing_key)
    local_key = local.LocalRootKey("file:root.key", root_key)
    wrapping_key = kdf.derive(root_key, "strongroom/v1/root-key/wrap")
    wrap_header = {"kid": kid, **jwe.ALGORITHM, "typ": "strongroom-sealing-key+1"}
    keys = Keyring(kid, {kid: sealing_key})
    identity = Identity(
        UUID("6f1c1c1e-6a5c-4d7e-9d0a-0e9f0f8e7b11"),
        UUID("0198c0de-0000-7000-8000-000000000001"),
        "ethereum",
        "0x9858EfFD232B4033E47d90003D41EC34EcaEda94",
    )
    private_key = Secret(bytes.fromhex("1ab42cc412b618bdea3a599e3c9bae199ebf030895b039e9db1e30dafb12b727"))
    material = KeyMaterial(private_key, "bip44", "m/44'/60'/0'/0/0", Secret.from_text(ABANDON))
    sealed_text = sealing.seal(material, identity, kid, keys, counting(0x80))
    parsed = jwe.parse(sealed_text)
    project_key = keys.project_key(kid, identity.project_id)
    return {
        "root_key": root_key.reveal().hex(),
        "root_key_text": local.new_text(counting(0)).reveal_text(),
        "check_value": local_key.check_value(),
        "wrapping_key": wrapping_key.reveal().hex(),
        "sealing_key": sealing_key.reveal().hex(),
        "kid": kid,
        "wrap_content_key": bytes(range(0x40, 0x60)).hex(),
        "wrap_nonce": bytes(range(0x60, 0x6C)).hex(),
        "wrapped": jwe.encrypt(wrap_header, sealing_key, wrapping_key, counting(0x40)),
        "row": {
            "project_id": str(identity.project_id),
            "credential_id": str(identity.credential_id),
            "network": identity.network,
            "wallet_address": identity.address,
        },
        "project_key": project_key.reveal().hex(),
        "header": jwe.decode_segment(sealed_text.split(".")[0]).decode(),
        "payload": jwe.decrypt(parsed, project_key).reveal_text(),
        "content_key": bytes(range(0x80, 0xA0)).hex(),
        "nonce": bytes(range(0xA0, 0xAC)).hex(),
        "sealed_text": sealed_text,
    }
