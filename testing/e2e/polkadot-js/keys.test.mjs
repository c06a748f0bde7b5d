// SPDX-License-Identifier: Apache-2.0
// Key files: polkadot.js opens those of `tos`, and `tos` opens those of polkadot.js. Needs no node.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { Keyring } from '@polkadot/api';
import { stringToU8a, u8aToHex } from '@polkadot/util';
import { cryptoWaitReady, mnemonicGenerate } from '@polkadot/util-crypto';
import { CLIENT } from './node.mjs';

const SCHEMES = ['sr25519', 'ed25519', 'ecdsa'];
const MESSAGE = stringToU8a('a message');

let folder;

before(async () => {
  await cryptoWaitReady();
  folder = await mkdtemp(join(tmpdir(), 'tos-keys-'));
});

after(async () => {
  if (folder) await rm(folder, { recursive: true, force: true });
});

/** Runs `tos keys` with the keystore's password; its JSON. */
async function keys(...words) {
  const env = { ...process.env, TOS_CONFIG: '/dev/null', TOS_DATA_DIR: join(folder, 'data'), TOS_PASSWORD: 'of the keystore' };
  const { stdout } = await promisify(execFile)(CLIENT, ['--json', 'keys', ...words], { env });
  return JSON.parse(stdout);
}

/** A file of the folder. */
async function file(name, text) {
  const path = join(folder, name);
  await writeFile(path, text);
  return path;
}

const readJson = async (path) => JSON.parse(await readFile(path, 'utf8'));

/** A pair of polkadot.js that can sign as the account that the other one knows. */
function signsFor(pair, known) {
  assert.equal(u8aToHex(pair.publicKey), u8aToHex(known.publicKey));
  assert(known.verify(MESSAGE, pair.sign(MESSAGE), known.publicKey));
}

for (const scheme of SCHEMES) {
  test(`polkadot.js opens a new ${scheme} key of tos`, async () => {
    const made = await keys('new', `new-${scheme}`, '--scheme', scheme);
    const path = join(folder, `new-${scheme}.json`);
    await keys('export', `new-${scheme}`, '--json-file', path);
    assert.equal((await stat(path)).mode & 0o077, 0);

    const keyring = new Keyring();
    const pair = keyring.addFromJson(await readJson(path));
    assert.equal(pair.type, scheme);
    assert.equal(pair.meta.name, `new-${scheme}`);
    assert(pair.isLocked);
    assert.throws(() => pair.decodePkcs8('of another'));
    pair.decodePkcs8('of the keystore');
    assert.equal(pair.address, made.address);
    signsFor(pair, new Keyring({ type: scheme }).addFromUri(made.phrase));

    // What tos prints as the secret makes the same key there.
    const { secret } = await keys('export', `new-${scheme}`);
    assert.match(secret, /^0x[0-9a-f]{64}$/);
    signsFor(new Keyring({ type: scheme }).addFromUri(secret), pair);
  });

  test(`tos opens a ${scheme} key of polkadot.js`, async () => {
    const uri = `${mnemonicGenerate()}//hard`;
    // With the prefix of another network: the account is the same.
    const pair = new Keyring({ type: scheme, ss58Format: 2 }).addFromUri(uri, { name: 'a wallet\'s' });
    const path = await file(`wallet-${scheme}.json`, JSON.stringify(pair.toJson('of the wallet')));
    const password = await file('password', 'of the wallet\n');
    const told = await keys('import', `wallet-${scheme}`, '--json-file', path, '--json-password-file', password);
    assert.equal(told.scheme, scheme);
    assert.equal(told.publicKey, u8aToHex(pair.publicKey));
    assert.equal(told.address, new Keyring({ type: scheme, ss58Format: 42 }).addFromUri(uri).address);

    const shown = await keys('show', `wallet-${scheme}`);
    assert.deepEqual(shown, told);
    const { secret } = await keys('export', `wallet-${scheme}`);
    const again = await keys('show', '--suri', secret, '--scheme', scheme);
    assert.equal(again.address, told.address);
  });

  test(`a ${scheme} key goes to a wallet, gets another password there and comes back`, async () => {
    const made = await keys('new', `travels-${scheme}`, '--scheme', scheme);
    const path = join(folder, `travels-${scheme}.json`);
    await keys('export', `travels-${scheme}`, '--json-file', path);
    const pair = new Keyring().addFromJson(await readJson(path));
    pair.decodePkcs8('of the keystore');
    await writeFile(path, JSON.stringify(pair.toJson('of the wallet')));
    const password = await file('password', 'of the wallet');
    const back = await keys('import', `back-${scheme}`, '--json-file', path, '--json-password-file', password);
    assert.equal(back.address, made.address);
  });
}

test('a soft path and an expanded secret make the same sr25519 key on both sides', async () => {
  const uri = `${mnemonicGenerate()}/soft`;
  const pair = new Keyring({ type: 'sr25519' }).addFromUri(uri);
  const path = await file('soft.json', JSON.stringify(pair.toJson('of the keystore')));
  const told = await keys('import', 'soft', '--json-file', path);
  assert.equal(told.address, pair.address);
  const { secret } = await keys('export', 'soft');
  assert.match(secret, /^0x[0-9a-f]{128}$/);
  assert.equal((await keys('show', '--suri', secret)).address, pair.address);
  // Sealed by tos, it opens in polkadot.js.
  const copy = join(folder, 'soft-copy.json');
  await keys('export', 'soft', '--json-file', copy);
  const again = new Keyring().addFromJson(await readJson(copy));
  again.decodePkcs8('of the keystore');
  signsFor(again, pair);
});

test('a wrong password is told apart, and other contents are refused by name', async () => {
  const refused = async (json, kind, message) => {
    const path = await file('refused.json', JSON.stringify(json));
    await assert.rejects(keys('import', 'refused', '--json-file', path), ({ stderr }) => {
      const { error } = JSON.parse(stderr);
      assert.equal(error.kind, kind);
      assert.match(error.message, message);
      return true;
    });
  };
  const pair = new Keyring({ type: 'sr25519' }).addFromUri('//Alice');
  await refused(pair.toJson('of another'), 'wrongPassword', /wrong password/);
  await refused(pair.toJson(), 'usage', /not encrypted/);
  const ethereum = new Keyring({ type: 'ethereum' }).addFromUri(mnemonicGenerate());
  await refused(ethereum.toJson('of the keystore'), 'usage', /pkcs8 ethereum/);
});
