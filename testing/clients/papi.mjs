// SPDX-License-Identifier: Apache-2.0
// polkadot-api 2 on a chain with audits in its blocks.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { getExtrinsicDecoder } from '@polkadot-api/tx-utils';
import { createWsClient } from 'polkadot-api/ws';
import { WebSocket } from 'ws';
import { ANSWERS, blocks, Kinds, URL } from './common.mjs';
import { follows, isRefused, sends, signer } from './papi-steps.mjs';

let client;

before(() => {
  // Node.js has a WebSocket of its own from 22 on.
  client = createWsClient(URL, { websocketClass: WebSocket });
});

after(() => client?.destroy());

test('every block since genesis decodes with its events, general transactions by their calls', async () => {
  const { hash } = await client.getFinalizedBlock();
  const decode = getExtrinsicDecoder(await client.getMetadata(hash));
  const api = client.getUnsafeApi();
  const kinds = new Kinds();
  for (const block of await blocks()) {
    const body = await client.getBlockBody(block.hash);
    assert.equal(body.length, block.extrinsics.length);
    body.forEach((bytes, i) => {
      const extrinsic = decode(bytes);
      const form = kinds.count(block.extrinsics[i]);
      assert.equal(extrinsic.type, form);
      if (form === 'general') {
        assert.equal(extrinsic.call.type, 'Storage');
        assert.ok(ANSWERS.includes(extrinsic.call.value.type), extrinsic.call.value.type);
      }
    });
    for (const { event } of await api.query.System.Events.getValue({ at: block.hash })) assert.ok(event.type && event.value.type);
  }
  kinds.check();
});

test('final blocks are followed', () => follows(client));

test('a transfer and a task are signed and sent, and the task is in storage and in a runtime API', () =>
  sends(client, signer('//Dave')));

test('a refused call is told by the name of its error', () => isRefused(client, signer('//Dave')));
