// SPDX-License-Identifier: Apache-2.0
// What the tests of JavaScript clients share: the chain that run.py has started, its blocks as bytes, and what is published on it.
import assert from 'node:assert/strict';
import { Keyring } from '@polkadot/keyring';
import { cryptoWaitReady } from '@polkadot/util-crypto';

export const TOS = 10n ** 18n;
export const URL = process.env.TOS_URL;
/** A raw specification whose boot node is the node of the test. */
export const SPEC = process.env.TOS_SPEC;
/** What a task asks: `hash` (BLAKE3), `size` in bytes and `inline`, the bytes as 0x-hex. */
export const CONTENT = JSON.parse(process.env.TOS_CONTENT);
/** Calls of general transactions: answers of storage providers, which the runtime admits for the signature inside them. */
export const ANSWERS = ['respond_audit', 'respond_seal', 'respond_window', 'submit_group'];
export const SUBJECT = 'clients';
/** Milliseconds after which something that comes by itself is late. */
export const LATE = 120_000;

await cryptoWaitReady();
const keyring = new Keyring({ type: 'sr25519' });
export const account = (uri) => keyring.addFromUri(uri);
export const BOB = account('//Bob').address;

/** One call over HTTP, without the client that is tested. */
export async function rpc(method, ...params) {
  const answer = await fetch(URL.replace('ws:', 'http:'), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
  });
  const { result, error } = await answer.json();
  if (error) throw new Error(`${method}: ${error.code} ${error.message}`);
  return result;
}

/** Whether an extrinsic, 0x-hex, is `bare`, `signed` or `general`. */
export function kind(hex) {
  const prefix = [1, 2, 4][parseInt(hex.slice(2, 4), 16) & 3];
  const version = parseInt(hex.slice(2 + 2 * prefix, 4 + 2 * prefix), 16);
  return { 0x00: 'bare', 0x40: 'general', 0x80: 'signed' }[version & 0xc0];
}

/** All final blocks after the first: `number`, `hash`, and `extrinsics` as 0x-hex. */
export async function blocks() {
  const head = await rpc('chain_getHeader', await rpc('chain_getFinalizedHead'));
  const found = [];
  for (let number = 1; number <= Number(head.number); number += 1) {
    const hash = await rpc('chain_getBlockHash', number);
    const { block } = await rpc('chain_getBlock', hash);
    found.push({ number, hash, extrinsics: block.extrinsics });
  }
  return found;
}

/** Counts extrinsics by kind, and fails in the end where a kind did not occur: then nothing was shown. */
export class Kinds {
  seen = { bare: 0, signed: 0, general: 0 };

  count(hex) {
    const form = kind(hex);
    this.seen[form] += 1;
    return form;
  }

  check() {
    for (const [form, count] of Object.entries(this.seen)) assert.ok(count > 0, `no ${form} extrinsic in any block`);
  }
}

/**
 * Resolves with the first numbers that `follow(tell)` tells. They must rise; where blocks become final several at a time, not all
 * clients tell each.
 */
export function heads(follow, count = 3) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`fewer than ${count} blocks in ${LATE} ms`)), LATE);
    const heard = [];
    follow((number) => {
      if (heard.length === count) return;
      if (heard.length > 0 && number <= heard.at(-1)) {
        clearTimeout(late);
        reject(new Error(`block ${number} after ${heard}`));
      }
      heard.push(number);
      if (heard.length === count) {
        clearTimeout(late);
        resolve(heard);
      }
    });
  });
}
