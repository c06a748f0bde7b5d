// SPDX-License-Identifier: Apache-2.0
// The light client smoldot 3, with polkadot-api over it: from the first block of the chain to its head by what is final.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { getExtrinsicDecoder } from '@polkadot-api/tx-utils';
import { createClient } from 'polkadot-api';
import { getSmProvider } from 'polkadot-api/sm-provider';
import { start } from 'smoldot';
import { ANSWERS, LATE, SPEC } from './common.mjs';
import { follows, isRefused, sends, signer } from './papi-steps.mjs';

let light;
let client;
const errors = [];

before(async () => {
  const chainSpec = await readFile(SPEC, 'utf8');
  light = start({ maxLogLevel: 1, logCallback: (_, target, message) => errors.push(`${target}: ${message}`) });
  client = createClient(getSmProvider(() => light.addChain({ chainSpec })));
});

after(async () => {
  client?.destroy();
  await light?.terminate();
});

test('it finds the chain and follows what is final', () => follows(client));

test('blocks decode, general transactions by their calls', { timeout: LATE }, async () => {
  const { hash } = await client.getFinalizedBlock();
  const decode = getExtrinsicDecoder(await client.getMetadata(hash));
  const found = await new Promise((resolve, reject) => {
    const subscription = client.finalizedBlock$.subscribe({
      async next(block) {
        try {
          const decoded = (await client.getBlockBody(block.hash)).map((bytes) => decode(bytes));
          const general = decoded.find(({ type }) => type === 'general');
          if (!general) return;
          subscription.unsubscribe();
          resolve(general);
        } catch (error) {
          subscription.unsubscribe();
          reject(error);
        }
      },
      error: reject,
    });
  });
  assert.equal(found.call.type, 'Storage');
  assert.ok(ANSWERS.includes(found.call.value.type), found.call.value.type);
});

test('a transfer and a task are signed and sent, and the task is in storage and in a runtime API', () => sends(client, signer('//One')));

test('a refused call is told by the name of its error', () => isRefused(client, signer('//One')));

test('it has no tos_* methods: what they say is in the runtime APIs', async () => {
  await assert.rejects(client._request('tos_chain', []), { code: -32601 });
  const chain = await client.getUnsafeApi().apis.TosApi.chain();
  assert.ok(chain.open_tasks > 0);
});

test('it has no errors to tell', () => assert.deepEqual(errors, []));
