// SPDX-License-Identifier: Apache-2.0
// Prints key files that polkadot.js writes, for client/sdk/tests/keys/polkadot-js.json. The password is `secret`.
//
//   node key-vectors.mjs VERSION    with the polkadot.js of this folder, or of the working folder's node_modules
//
// Version 14 asks for more work of scrypt than those before, and the vectors have files of both. Salts are random: a new run
// prints other files of the same keys.
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const here = createRequire(join(process.cwd(), 'package.json'));
const load = (name) => import(pathToFileURL(here.resolve(name)).href);
const { Keyring } = await load('@polkadot/keyring');
const { u8aToHex } = await load('@polkadot/util');
const { cryptoWaitReady } = await load('@polkadot/util-crypto');

const PHRASE = 'bottom drive obey lake curtain smoke basket hold race lonely fit walk';
const KEYS = [
  ['sr25519', '//Alice', 42],
  ['sr25519', `${PHRASE}//hard/soft`, 42],
  ['ed25519', `${PHRASE}//hard`, 0],
  ['ecdsa', `${PHRASE}//hard`, 42],
];

await cryptoWaitReady();
const vectors = KEYS.map(([type, suri, ss58Format]) => {
  const pair = new Keyring({ type, ss58Format }).addFromUri(suri, { name: 'a vector', whenCreated: 1764400000000 });
  const account = new Keyring({ type, ss58Format: 42 }).encodeAddress(pair.addressRaw);
  return { by: process.argv[2], suri, account, publicKey: u8aToHex(pair.publicKey), file: pair.toJson('secret') };
});
console.log(JSON.stringify(vectors, null, 2));
