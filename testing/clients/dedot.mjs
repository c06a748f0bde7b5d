// SPDX-License-Identifier: Apache-2.0
// dedot 1 on a chain with audits in its blocks, over both generations of JSON-RPC.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { DedotClient, WsProvider } from 'dedot';
import { $Extrinsic } from 'dedot/codecs';
import { account, ANSWERS, blocks, BOB, heads, CONTENT, Kinds, SUBJECT, TOS, URL } from './common.mjs';

const publication = (reward) => [
  { type: 'General', value: { subject: SUBJECT } }, 'Beginner', { ...CONTENT, locator: '0x' }, reward, 200, 50, 2, undefined,
];

for (const [rpcVersion, uri] of [['v2', '//Eve'], ['legacy', '//Eve//stash']]) {
  describe(`JSON-RPC ${rpcVersion}`, () => {
    let client;
    let signer;

    before(async () => {
      client = await DedotClient.new({ provider: new WsProvider(URL), rpcVersion });
      signer = account(uri);
    });

    after(() => client?.disconnect());

    const send = (tx) => tx.signAndSend(signer).untilFinalized();

    test('every block since genesis decodes with its events, general transactions by their calls', async () => {
      const codec = $Extrinsic(client.registry);
      const kinds = new Kinds();
      for (const { hash, extrinsics } of await blocks()) {
        for (const bytes of extrinsics) {
          const { call } = codec.tryDecode(bytes);
          const form = kinds.count(bytes);
          if (form === 'general') {
            assert.equal(call.pallet, 'Storage');
            assert.ok(ANSWERS.map((name) => name.replace(/_/g, '').toLowerCase()).includes(call.palletCall.name.toLowerCase()));
          }
        }
        const at = await client.at(hash);
        for (const { event } of await at.query.system.events()) assert.ok(event.pallet && event.palletEvent);
      }
      kinds.check();
    });

    test('best and final blocks are followed', async () => {
      for (const what of ['best', 'finalized']) {
        let stop;
        await heads((tell) => { stop = client.block[what]((block) => tell(block.number)); });
        stop();
      }
    });

    test('a transfer and a task are signed and sent, and the task is in storage and in a runtime API', async () => {
      const paid = await send(client.tx.balances.transferKeepAlive(BOB, TOS));
      assert.equal(paid.dispatchError, undefined);
      assert.ok(client.events.balances.Transfer.find(paid.events));
      const published = await send(client.tx.tasks.publish(...publication(5n * TOS)));
      const { task } = client.events.tasks.Published.find(published.events).palletEvent.data;
      const entries = await client.query.tasks.tasks.entries();
      assert.ok(entries.some(([id]) => id === task));
      const open = await client.call.tosApi.openTasks({ type: 'General' }, undefined, 100);
      assert.ok(open.some(({ id }) => id === task));
    });

    test('a refused call is told by the name of its error', async () => {
      const { dispatchError } = await send(client.tx.tasks.publish(...publication(4n * TOS)));
      assert.ok(client.errors.tasks.RewardOutsideBand.is(dispatchError));
    });
  });
}
