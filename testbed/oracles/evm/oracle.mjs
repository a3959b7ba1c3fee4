// Answers one JSON request a line on standard input with one JSON line: what ethers and MetaMask's eth-sig-util make.
import { createInterface } from "node:readline";
import sigUtil from "@metamask/eth-sig-util";
import { SigningKey, Transaction, TypedDataEncoder, Wallet, getBytes } from "ethers";

const operations = {
  message: ({ key, message }) => new Wallet(key).signMessageSync(getBytes(message)),
  "text-message": ({ key, message }) => new Wallet(key).signMessageSync(message),
  "typed-data": ({ key, document }) => {
    const { EIP712Domain: _, ...types } = document.types;
    const digest = TypedDataEncoder.hash(document.domain, types, document.message);
    return { digest, signature: new SigningKey(key).sign(digest).serialized };
  },
  "typed-data-v4": ({ key, document }) =>
    sigUtil.signTypedData({ privateKey: Buffer.from(key.slice(2), "hex"), data: document, version: "V4" }),
  transaction: ({ key, transaction }) => {
    const made = Transaction.from(transaction);
    const unsigned = made.unsignedSerialized;
    made.signature = new SigningKey(key).sign(made.unsignedHash);
    return { unsigned, raw_transaction: made.serialized, hash: made.hash, from: made.from };
  },
  authorization: ({ key, authorization }) => {
    const { address, nonce, chainId, signature } = new Wallet(key).authorizeSync(authorization);
    const { r, s, yParity } = signature;
    return { address, nonce: String(nonce), chainId: String(chainId), r, s, yParity };
  },
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
