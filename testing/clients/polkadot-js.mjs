// SPDX-License-Identifier: Apache-2.0
// @polkadot/api 16 on a chain with audits in its blocks.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { ApiPromise, WsProvider } from '@polkadot/api';
import { hexToU8a } from '@polkadot/util';
import { blake2AsHex } from '@polkadot/util-crypto';
import { account, ANSWERS, blocks, BOB, heads, CONTENT, Kinds, SUBJECT, TOS, URL } from './common.mjs';

let api;
let signer;

before(async () => {
  api = await ApiPromise.create({ provider: new WsProvider(URL), noInitWarn: true, throwOnConnect: true });
  signer = account('//Charlie');
});

after(() => api?.disconnect());

/** Sends `tx` and resolves with its events in a block; rejects with the name of its error. */
const send = (tx) => new Promise((resolve, reject) => {
  tx.signAndSend(signer, { nonce: -1 }, ({ status, events, dispatchError }) => {
    if (!status.isInBlock && !status.isFinalized) return;
    if (!dispatchError) return resolve(events.map(({ event }) => event));
    const { section, name } = api.registry.findMetaError(dispatchError.asModule);
    reject(new Error(`${section}.${name}`));
  }).catch(reject);
});

const publish = (reward) => api.tx.tasks.publish({ General: { subject: SUBJECT } }, 'Beginner', { ...CONTENT, locator: '0x' }, reward,
  200, 50, 2, null);

test('every block since genesis decodes with its events, general transactions by their calls', async () => {
  const kinds = new Kinds();
  for (const { number, hash, extrinsics } of await blocks()) {
    const [{ block }, at] = await Promise.all([api.rpc.chain.getBlock(hash), api.at(hash)]);
    assert.equal(block.extrinsics.length, extrinsics.length);
    block.extrinsics.forEach((extrinsic, i) => {
      const form = kinds.count(extrinsics[i]);
      assert.equal(extrinsic.isGeneral(), form === 'general');
      // To the last byte.
      assert.ok(extrinsics[i].endsWith(extrinsic.method.toHex().slice(2)), `block ${number}, extrinsic ${i}`);
      const { section, method } = api.registry.findMetaCall(extrinsic.callIndex);
      if (form === 'general') {
        assert.equal(section, 'storage');
        assert.ok(ANSWERS.includes(method.replace(/[A-Z]/g, (c) => `_${c.toLowerCase()}`)), method);
      }
    });
    for (const { event } of await at.query.system.events()) assert.ok(event.section && event.method);
  }
  kinds.check();
});

// The day this fails, the limit is gone, and docs/rpc.md can say so.
test('the hash of a general transaction is wrong, and is that of its bytes', async () => {
  const kinds = new Kinds();
  for (const { hash, extrinsics } of await blocks()) {
    const { block } = await api.rpc.chain.getBlock(hash);
    block.extrinsics.forEach((extrinsic, i) => {
      const right = extrinsic.hash.toHex() === blake2AsHex(hexToU8a(extrinsics[i]), 256);
      assert.equal(right, kinds.count(extrinsics[i]) !== 'general');
    });
  }
  kinds.check();
});

test('the slots of a block are read from its extrinsics as bytes', async () => {
  const known = await api.call.beaconApi.beaconRecords(1, 64);
  const ends = known.map((record) => record.end.toHex());
  for (const { extrinsics } of await blocks()) {
    const claims = await api.call.beaconApi.beaconClaims(extrinsics.map((bytes) => hexToU8a(bytes)));
    if (claims.length === 0) continue;
    assert.deepEqual(claims.map((claim) => claim.end.toHex()), ends.slice(0, claims.length));
    return;
  }
  assert.fail('no block with slots');
});

test('best and final heads are followed', async () => {
  for (const subscribe of [api.rpc.chain.subscribeNewHeads, api.rpc.chain.subscribeFinalizedHeads]) {
    let stop;
    await heads((tell) => { stop = subscribe((head) => tell(head.number.toNumber())); });
    (await stop)();
  }
});

test('a transfer and a task are signed and sent, and the task is in storage and in a runtime API', async () => {
  const events = await send(api.tx.balances.transferKeepAlive(BOB, TOS));
  assert.ok(events.some((event) => api.events.balances.Transfer.is(event)));
  const published = (await send(publish(5n * TOS))).find((event) => api.events.tasks.Published.is(event));
  const id = published.data.task.toHex();
  const keys = (await api.query.tasks.tasks.entries()).map(([key]) => key.args[0].toHex());
  assert.ok(keys.includes(id));
  const open = await api.call.tosApi.openTasks('General', null, 100);
  assert.ok(open.map((task) => task.id.toHex()).includes(id));
});

test('a refused call is told by the name of its error', async () => {
  await assert.rejects(send(publish(4n * TOS)), { message: 'tasks.RewardOutsideBand' });
});
