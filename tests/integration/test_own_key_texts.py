"""Key texts of one family are in legacy tables: doctor derives their addresses, repair seals them, and the same
text comes out again."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.databases.attacked import WHO, Attacked
from testbed.databases.deployments import Deployment

WORDS = (
    "advice pudding treat near rule blouse same whisper inner electric quit surface sunny dismiss leader blood seat "
    "clown cost exist hospital century reform able sponsor"
)
LOCKED = "spesk1yA7DvBDoPgRy8zodnSC8hUqYHyLd6hcytJFZxWuZAxqbD6puYDEPocKARg7ypNfbAHBrLhdJnzF2sSWkWA"
TEXTS = {  # published ones, as in the tests of each family: network, address, text, what comes out
    "sEd": ("xrp", "rLUEXYuLiQptky37CqLcm9USQpPiz5rkpD", "sEdSKaCy2JT7JaM7v95H9SxkhP9wS2r", None),
    "s": ("xrp", "rHb9CJAWyB4rj91VRWn96DkukG4bwdtyTh", "snoPBrXtMeMyMHUVTgbuqAfg1SUTb", None),
    "s of Ed25519": (  # as rippled writes it
        "xrp",
        "r9zRhGr7b6xPekLvT6wP4qNdWMryaumZS7",
        "sp6JS7f14BuwFY8Mw6bTtLKWauoUs",
        "sEdSJHS4oiAdz7w2X2ni1gFiqtbJHqE",
    ),
    "S": (
        "stellar",
        "GDRXE2BQUC3AZNPVFSCEZ76NJ3WWL25FYFK6RGZGIEKWE4SOOHSUJUJ6",
        "SBGWSG6BTNCKCOB3DIFBGCVMUPQFYPA2G4O34RMTB343OYPXU5DJDVMN",
        None,
    ),
    "edsk": (
        "tezos",
        "tz1b9kV41KV9N3sp69ycLdSoZ2Ak8jXwtNPv",
        "edskS8rh49SrQHQxMu5sVsyRXX3Kaodfgbk8qqtTFjxSg2tJbLEtbMnimfJzSz7TTZQeP7EMhZoegHbQWa548RcXJP9kn2J8P8",
        "edsk4TjJWEszkHKono7XMnepVqwi37FrpbVt1KCsifJeAGimxheShG",
    ),
    "spsk": (
        "tezos",
        "tz2Ch1abG7FNiibmV26Uzgdsnfni9XGrk5wD",
        "spsk2rBDDeUqakQ42nBHDGQTtP3GErb6AahHPwF9bhca3Q5KA5HESE",
        None,
    ),
    "25 words": ("algorand", "47YPQTIGQEO7T4Y4RWDYWEKV6RTR2UNBQXBABEEGM72ESWDQNCQ52OPASU", WORDS, None),
    "spesk": (
        "tezos",
        "tz2LQ4dU9Zi5WWqb86KSswsYCgtbATsiwLuv",
        LOCKED,
        "spsk2s751r1FUCFnGP7dNz4fXAZTEeiHyrxkZusCvgAhbJUwtbJxxV",
    ),
}
G4 = pytest.mark.parametrize("core_deployments", ["g4"], indirect=True)


@G4
def test_doctor_finds_the_texts_and_repair_seals_them(core_deployments: Deployment, private_path: Path) -> None:
    deployment, attacked = core_deployments, Attacked(core_deployments, private_path)
    wallets = {}
    for name, (network, address, text, _) in TEXTS.items():
        wallets[name] = attacked.credential(project := deployment.project(), address)
        attacked.record(wallets[name], text, project)
        deployment.execute("UPDATE project_credentials SET network = ? WHERE id = ?", network, wallets[name])
    password = ("--keystore-password-stdin",)
    found = attacked.doctor(*password, stdin=b"password\n")
    for name, wallet in wallets.items():
        told = {each["code"]: each["repair"] for each in found if each["credential_id"] == str(wallet)}
        assert told["keystore" if name == "spesk" else "plaintext-key"] == "seal", (name, told)
    plan = attacked.plan(*password, stdin=b"password\n")
    answer = attacked.apply(plan, *password, stdin=b"password\n")
    assert answer.code in (0, 3), answer.err
    with deployment.open() as vault:
        for name, (network, address, text, out) in TEXTS.items():
            sealed = vault.get_wallet(wallets[name])
            assert (sealed.network, sealed.address) == (network, address)
            assert vault.reveal(wallets[name], **WHO).private_key.reveal_text() == (out or text), name
        assert all(each.ok for each in vault.verify())
