// SPDX-License-Identifier: Apache-2.0
// What a polkadot.js client of TOS needs beside @polkadot/api: commitments, and sending that waits for a block.
import { randomBytes } from 'node:crypto';
import { blake3 } from '@noble/hashes/blake3';
import { compactAddLength, stringToU8a, u8aConcat, u8aToHex } from '@polkadot/util';
import { blake2AsU8a } from '@polkadot/util-crypto';

export const TOS = 10n ** 18n;

/** Prints what `work` returns, as JSON, and ends this program; an error ends it with where it came from. */
export async function conclude(api, work) {
  try {
    const said = await work();
    process.stdout.write(`${JSON.stringify(said)}\n`);
    await api.disconnect();
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error.stack ?? error}\n`);
    process.exit(1);
  }
}

/** A content reference that carries `text` inline. */
export function inline(text) {
  const bytes = stringToU8a(text);
  return { hash: u8aToHex(blake3(bytes)), size: bytes.length, inline: u8aToHex(bytes), locator: '0x' };
}

/** A fresh 32-byte salt. */
export const salt = () => u8aToHex(randomBytes(32));

/** The commitment of a miner to an answer: BLAKE2b-256 of the SCALE encoding of its parts. */
export function answerCommitment(api, task, miner, contentHash, simhash, secret) {
  return u8aToHex(blake2AsU8a(u8aConcat(
    stringToU8a('tos/answer/v1'), api.createType('[u8;16]', task).toU8a(), miner.publicKey,
    api.createType('[u8;32]', contentHash).toU8a(), api.createType('u64', simhash).toU8a(),
    api.createType('[u8;32]', secret).toU8a(),
  )));
}

/** The salt that binds a control author to the quality of its answer: see docs/protocol.md, "Control answers". */
export function controlAnswer(api, task, author, contentHash, quality, secret) {
  return u8aToHex(blake2AsU8a(u8aConcat(
    stringToU8a('tos/known/v1'), api.createType('[u8;16]', task).toU8a(), author.publicKey,
    api.createType('[u8;32]', contentHash).toU8a(), api.createType('u8', quality).toU8a(),
    api.createType('[u8;32]', secret).toU8a(),
  )));
}

/** The commitment of a judge to its scores, and to its report if it has one, in one round. */
export function voteCommitment(api, task, round, judge, scores, report, secret) {
  const call = api.tx.judges.revealVote(task, scores, report, secret);
  return u8aToHex(blake2AsU8a(u8aConcat(
    stringToU8a('tos/vote/v1'), api.createType('[u8;16]', task).toU8a(), api.createType('u32', round).toU8a(),
    judge.publicKey, call.args[1].toU8a(), call.args[2].toU8a(), api.createType('[u8;32]', secret).toU8a(),
  )));
}

/** An extrinsic the runtime refused, by the pallet and name of its error. */
export class Refused extends Error {
  constructor(section, name, docs) {
    super(`${section}.${name}: ${docs}`);
    this.name = `${section}.${name}`;
  }
}

/** An extrinsic the node's pool gave up before any block had it: it can be sent again. */
export class Lost extends Error {}

/** Sends `tx`, signed with `options`, and resolves with its events once it is in a block; rejects with `Refused` when it failed there, with `Lost` when it will not come. */
export function send(api, tx, signer, options = {}) {
  return new Promise((resolve, reject) => {
    let unsubscribe;
    tx.signAndSend(signer, { nonce: -1, ...options }, ({ status, events, dispatchError }) => {
      if (status.isInvalid || status.isDropped || status.isUsurped) {
        unsubscribe?.();
        reject(new Lost(`${tx.method.section}.${tx.method.method} of ${signer.address}: ${status.type}`));
      }
      // Where finality is as fast as blocks, a node may tell the second and not the first.
      if (!status.isInBlock && !status.isFinalized) return;
      unsubscribe?.();
      if (!dispatchError) {
        resolve(events.map(({ event }) => event));
      } else if (dispatchError.isModule) {
        const { section, name, docs } = api.registry.findMetaError(dispatchError.asModule);
        reject(new Refused(section, name, docs.join(' ')));
      } else {
        reject(new Error(dispatchError.toString()));
      }
    }).then((stop) => { unsubscribe = stop; }, reject);
  });
}

/** What became of each of `calls`, sent as one batch that goes on after failures: null, or the name of its error. */
export async function outcomes(api, calls, signer) {
  const events = await send(api, api.tx.utility.forceBatch(calls), signer);
  const items = events.filter((e) => e.section === 'utility' && ['ItemCompleted', 'ItemFailed'].includes(e.method));
  return items.map(({ method, data: [error] }) => {
    if (method === 'ItemCompleted') return null;
    if (!error.isModule) return error.type;
    const { section, name } = api.registry.findMetaError(error.asModule);
    return `${section}.${name}`;
  });
}

/**
 * `tx` as a transaction without a sender, which the runtime lets in for what it says (a *general* transaction). Of its
 * extensions only mortality, nonce, tip and metadata hash take bytes; here: immortal, and zero.
 */
export const authorised = (tx) =>
  u8aToHex(compactAddLength(u8aConcat([0x45, 0, 0, 0, 0, 0], tx.method.toU8a())));

/** The first event `section.method` among `events`, as an object of its named fields. */
export function find(events, section, method) {
  const event = events.find((e) => e.section === section && e.method === method);
  if (!event) throw new Error(`no event ${section}.${method} among ${events.map((e) => `${e.section}.${e.method}`)}`);
  return Object.fromEntries(event.meta.fields.map((field, i) => [field.name.unwrap().toString(), event.data[i]]));
}

/** Resolves with the first truthy result of `probe`, asked once per new block; fails after `blocks` blocks. */
export async function untilBlock(api, probe, what, blocks = 120) {
  const first = await probe();
  if (first) return first;
  return new Promise((resolve, reject) => {
    let left = blocks;
    let unsubscribe;
    let done = false;
    const finish = (settle, value) => {
      if (done) return;
      done = true;
      unsubscribe?.();
      settle(value);
    };
    api.rpc.chain.subscribeNewHeads(async () => {
      try {
        const result = await probe();
        if (result) finish(resolve, result);
        else if ((left -= 1) <= 0) finish(reject, new Error(`${what}: not within ${blocks} blocks`));
      } catch (error) {
        finish(reject, error);
      }
    }).then((stop) => { unsubscribe = stop; if (done) stop(); }, reject);
  });
}
