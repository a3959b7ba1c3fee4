// Answers one JSON request a line on standard input with one JSON line: keys and addresses of phrases, by wallet-core.
import { createInterface } from "node:readline";
import walletCore from "@trustwallet/wallet-core";

const core = await walletCore.initWasm();
const hex = (bytes) => Buffer.from(bytes).toString("hex");

const operations = {
  // The private key at a path (null: the chain's own), and the address that wallet-core shows for it.
  derive: ({ coin, mnemonic, passphrase, path }) => {
    const wallet = core.HDWallet.createWithMnemonic(mnemonic, passphrase);
    const type = core.CoinType[coin];
    const key = path === null ? wallet.getKeyForCoin(type) : wallet.getKey(type, path);
    const answer = { key: hex(key.data()), address: core.CoinTypeExt.deriveAddress(type, key) };
    key.delete();
    wallet.delete();
    return answer;
  },
  // The address of a raw private key.
  address: ({ coin, key }) => {
    const made = core.PrivateKey.createWithData(Buffer.from(key, "hex"));
    const address = core.CoinTypeExt.deriveAddress(core.CoinType[coin], made);
    made.delete();
    return address;
  },
  // Whether a text is an address of a coin.
  valid: ({ coin, text }) => core.AnyAddress.isValid(text, core.CoinType[coin]),
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  let answer;
  try {
    answer = { result: operations[request.operation](request) };
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
