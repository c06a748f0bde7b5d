// SPDX-License-Identifier: Apache-2.0
// Signers that show what they sign (Ledger, Vault) put the hash of the metadata under their signature, and the runtime must know
// the same hash. Only what is released carries it, so this runs the runtime that was released last, not the one in the works.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { merkleizeMetadata } from '@polkadot-api/merkleize-metadata';
import { u8aToHex } from '@polkadot/util';
import { send, TOS } from './chain.mjs';
import { connected } from './connection.mjs';
import { BINARY } from './node.mjs';

const RELEASES = new URL('../../../runtime/releases/', import.meta.url);
const BOB = '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty';

let folder;
let node;
let api;
let alice;
let digest;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tos-ledger-'));
  let at;
  ({ node, api, at } = await connected({ chain: await specification() }));
  alice = at('//Alice');
  const metadata = (await api.call.metadata.metadataAtVersion(15)).unwrap().toU8a(true);
  digest = u8aToHex(merkleizeMetadata(metadata, { decimals: 18, tokenSymbol: 'TOS' }).digest());
});

after(async () => {
  await api?.disconnect();
  await node?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** The genesis of a network that was born with the last release, with one of its validators enough to make blocks. */
async function specification() {
  const versions = (await readdir(RELEASES)).map((name) => /^(\d+)\.wasm$/.exec(name)?.[1]).filter(Boolean).map(Number);
  const last = Math.max(...versions);
  const code = u8aToHex(await readFile(new URL(`${last}.wasm`, RELEASES)));
  // As text: JSON.parse would round the balances.
  const spec = (await readFile(new URL(`${last}.local-fast.json`, RELEASES), 'utf8'))
    .replace('"runtimeGenesis": {', `"runtimeGenesis": { "code": "${code}",`);
  assert(spec.includes(code));
  const plain = join(folder, 'plain.json');
  await writeFile(plain, spec);
  const { stdout } = await promisify(execFile)(BINARY, ['export-chain-spec', '--chain', plain, '--raw'], { maxBuffer: 1 << 28 });
  const raw = join(folder, 'raw.json');
  await writeFile(raw, stdout);
  return raw;
}

/** A transfer whose signer vouches for the metadata of this hash. */
const transfer = (metadataHash) =>
  send(api, api.tx.balances.transferKeepAlive(BOB, TOS), alice, { mode: 1, metadataHash });

test('a transfer signed over the hash of the metadata is taken', async () => {
  const events = await transfer(digest);
  assert(events.some((event) => event.section === 'balances' && event.method === 'Transfer'));
});

test('one signed over the hash of another metadata is refused', async () => {
  await assert.rejects(transfer(`0x${'11'.repeat(32)}`), /bad signature/i);
});
