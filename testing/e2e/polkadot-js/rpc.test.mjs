// SPDX-License-Identifier: Apache-2.0
// The tos_* namespace: readable JSON, stable pages, typed refusals, and changes that tell when they are final.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { rpc } from '../../../client/sdk/polkadot-js/definitions.mjs';
import { find, inline, salt, send, TOS, untilBlock } from './chain.mjs';
import { connected } from './connection.mjs';

const SPEC = inline('{"kind":"text","title":"A task to be listed","data":{}}');
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

let node;
let provider;
let api;
let alice;
let at;

before(async () => {
  ({ node, provider, api, at } = await connected({ rpc }));
  alice = at('//Alice');
});

after(async () => {
  await api?.disconnect();
  await node?.stop();
});

const publish = (type, reward) =>
  api.tx.tasks.publish({ [type]: { [type === 'General' ? 'subject' : 'domain']: 'listing' } }, 'Beginner', SPEC, reward, 200, 50, 2, null);
// The codec of polkadot.js has no word for lists and null in JSON; `raw` gives what the node said.
const ask = (method, ...params) => api.rpc.tos[method].raw(...params);

test('changes of tasks are told when they happen and again when they are final', async () => {
  const heard = [];
  // The promise of polkadot.js resolves with the first change, so it must not be awaited before there is one.
  const subscribed = api.rpc.tos.subscribeTasks(null, (change) => heard.push(change.toJSON()));
  const { task } = find(await send(api, publish('General', 5n * TOS), alice), 'tasks', 'Published');
  await untilBlock(api, () => heard.some((c) => c.finalized), 'a final change');
  (await subscribed)();
  const mine = heard.filter((change) => change.phase === 'open');
  assert.deepEqual(mine.map((change) => change.finalized), [false, true]);
  assert.match(mine[0].task, UUID);
  assert.equal(mine[0].task.replaceAll('-', ''), task.toHex().slice(2));
  assert.equal(mine[0].block, mine[1].block);
});

test('pages name their block and do not shift when tasks are published meanwhile', async () => {
  for (let i = 0; i < 4; i += 1) await send(api, publish('LogicReasoning', 6n * TOS + BigInt(i)), alice);
  const all = await ask('openTasks', 'logicReasoning');
  assert.equal(all.items.length, 4);
  assert.equal(all.next, null);
  const first = await ask('openTasks', 'logicReasoning', null, 3);
  assert.equal(first.items.length, 3);
  await send(api, publish('LogicReasoning', 7n * TOS), alice);
  const rest = await ask('openTasks', 'logicReasoning', first.next, 3, first.at);
  assert.deepEqual([...first.items, ...rest.items].map((t) => t.id), all.items.map((t) => t.id));
  assert.equal(rest.next, null);
});

test('a task reads as plain JSON: UUIDs, decimal wei, text, hex and SS58', async () => {
  const { items } = await ask('openTasks', 'logicReasoning', null, 1);
  const task = await ask('task', items[0].id);
  assert.match(task.summary.id, UUID);
  assert.match(task.summary.reward, /^6000000000000000\d{3}$|^7000000000000000000$/);
  assert.equal(task.summary.publisher, alice.address);
  assert.equal(task.params.logicReasoning.domain, 'listing');
  assert.equal(task.spec.hash, SPEC.hash);
  assert.equal(await ask('task', '00000000-0000-4000-8000-000000000000'), null);
});

test('whether an account may submit is told before it pays, with the reason', async () => {
  const { items } = await ask('openTasks');
  const answer = await ask('canSubmit', alice.address, items[0].id);
  assert.equal(answer.allowed, false);
  assert.ok(['notRegistered', 'ownTask'].includes(answer.reason), answer.reason);
});

test('the parameters read as plain JSON, by the names that set them', async () => {
  const parameters = await ask('parameters');
  assert.equal(parameters.slashes.plagiarism, 8_000);
  assert.equal(parameters.minerStakes.securityAudit, String(200n * TOS));
  assert.equal(parameters.levels.master.endorsements, 10);
  // The block before the first has them too: they are what the network is born with.
  assert.deepEqual(await ask('parameters', api.genesisHash.toHex()), parameters);
});

test('malformed and unknown input is refused with a code', async () => {
  await assert.rejects(api.rpc.tos.task('not-a-uuid'), /-32602/);
  await assert.rejects(api.rpc.tos.chain(`0x${'11'.repeat(32)}`), /1004/);
});

test('an account that never worked has the starting reputation and nothing to claim', async () => {
  const bob = at('//Bob').address;
  assert.equal((await ask('reputation', bob)).global.score, 1_000);
  assert.deepEqual(await ask('claimable', bob), []);
  assert.equal(await ask('miner', bob), null);
  assert.deepEqual(await ask('assignments', bob), []);
});

test('a publication sent again is refused by its reference, which tells the task that the first one made', async () => {
  const reference = salt();
  const call = () => api.tx.tasks.publish({ General: { subject: 'listing' } }, 'Beginner', SPEC, 5n * TOS, 200, 50, 2, reference);
  const { task } = find(await send(api, call(), alice), 'tasks', 'Published');
  await assert.rejects(send(api, call(), alice), { name: 'tasks.ReferenceUsed' });
  assert.equal((await api.call.tosApi.taskByReference(alice.address, reference)).unwrap().toHex(), task.toHex());
  const ask = (who) => provider.send('tos_taskByReference', [who, reference]);
  assert.equal((await ask(alice.address)).replaceAll('-', ''), task.toHex().slice(2));
  assert.equal(await ask(at('//Bob').address), null);
});
