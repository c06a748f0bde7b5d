// SPDX-License-Identifier: Apache-2.0
// What polkadot-api does alike over a node and over a light client.
import assert from 'node:assert/strict';
import { Binary, Enum } from 'polkadot-api';
import { getPolkadotSigner } from 'polkadot-api/signer';
import { account, BOB, heads, CONTENT, SUBJECT, TOS } from './common.mjs';

export function signer(uri) {
  const pair = account(uri);
  return getPolkadotSigner(pair.publicKey, 'Sr25519', (message) => pair.sign(message));
}

const publication = (reward) => ({
  params: Enum('General', { subject: Binary.fromText(SUBJECT) }),
  difficulty: Enum('Beginner'),
  spec: { hash: CONTENT.hash, size: CONTENT.size, inline: Binary.fromHex(CONTENT.inline), locator: new Uint8Array() },
  reward,
  open_for: 200,
  min_quality: 50,
  max_participants: 2,
  reference: undefined,
});

/** The only event of this name, as its fields. */
function event(events, pallet, name) {
  const found = events.filter((e) => e.type === pallet && e.value.type === name);
  assert.equal(found.length, 1, `${pallet}.${name}`);
  return found[0].value.value;
}

/** Final blocks come. */
export async function follows(client) {
  let subscription;
  await heads((tell) => { subscription = client.finalizedBlock$.subscribe(({ number }) => tell(number)); });
  subscription.unsubscribe();
}

/** A transfer and a task are signed and sent, and found. */
export async function sends(client, from) {
  const api = client.getUnsafeApi();
  const paid = await api.tx.Balances.transfer_keep_alive({ dest: Enum('Id', BOB), value: TOS }).signAndSubmit(from);
  assert.equal(paid.ok, true);
  assert.equal(event(paid.events, 'Balances', 'Transfer').amount, TOS);
  const published = await api.tx.Tasks.publish(publication(5n * TOS)).signAndSubmit(from);
  assert.equal(published.ok, true);
  const { task } = event(published.events, 'Tasks', 'Published');
  const at = published.block.hash;
  const entries = await api.query.Tasks.Tasks.getEntries({ at });
  assert.ok(entries.some(({ keyArgs: [id] }) => id === task));
  const open = await api.apis.TosApi.open_tasks(Enum('General'), undefined, 100, { at });
  assert.ok(open.some(({ id }) => id === task));
}

/** A call that fails is told by the name of its error. */
export async function isRefused(client, from) {
  const refused = await client.getUnsafeApi().tx.Tasks.publish(publication(4n * TOS)).signAndSubmit(from);
  assert.equal(refused.ok, false);
  const { type, value } = refused.dispatchError;
  assert.deepEqual([type, value.type, value.value.type], ['Module', 'Tasks', 'RewardOutsideBand']);
}
