// SPDX-License-Identifier: Apache-2.0
// What the scenarios `upgrade` and `referendum` sign, submit and read. Usage: upgrade.mjs URL ACTION [ARGUMENT...]; prints JSON.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { answerCommitment, conclude, find, inline, Lost, Refused, send, TOS, voteCommitment } from '../testing/e2e/polkadot-js/chain.mjs';

// The packages are those of the end-to-end tests.
const packages = join(dirname(fileURLToPath(import.meta.url)), '..', 'testing', 'e2e', 'polkadot-js', 'package.json');
const resolve = createRequire(packages).resolve;
const { ApiPromise, Keyring, WsProvider } = await import(pathToFileURL(resolve('@polkadot/api')));
const { hexToU8a, u8aEq, u8aToHex } = await import(pathToFileURL(resolve('@polkadot/util')));
const { blake2AsHex, xxhashAsHex } = await import(pathToFileURL(resolve('@polkadot/util-crypto')));

// What went wrong counts, not where in the packages it was noticed.
Error.stackTraceLimit = 2;
const [url, action, ...rest] = process.argv.slice(2);
const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true });
const keyring = new Keyring({ type: 'sr25519' });
const at = (uri) => keyring.addFromUri(uri);

const PUBLISHER = at('//Ferdie//stash');
const MINERS = ['//Bob', '//Charlie'].map(at);
const JUDGES = ['//Dave', '//Eve', '//Ferdie', '//One'].map(at);
const VOTERS = ['//Bob', '//Charlie', '//Dave', '//Eve', '//Ferdie', '//One', '//Two', '//Alice//stash', '//Bob//stash'].map(at);
// Blocks within which a task must have come to where it shall be: three times what it takes.
const PATIENCE = 360;

const height = async () => (await api.rpc.chain.getHeader()).number.toNumber();
const hash = (number) => api.rpc.chain.getBlockHash(number);

/** Tells whoever reads the errors of this process how far it is. */
const say = (what) => process.stderr.write(`${what}\n`);

/** Asks `probe` once a block until it finds something. */
async function everyBlock(what, probe, blocks = PATIENCE) {
  const end = (await height()) + blocks;
  for (let seen = -1, waits = false; ;) {
    const now = await height();
    if (now !== seen) {
      seen = now;
      const found = await probe();
      if (found || !waits) say(`block ${now}: ${found ? '' : 'waits until '}${what}`);
      if (found) return found;
      waits = true;
    }
    if (now > end) throw new Error(`not within ${blocks} blocks: ${what}`);
    await new Promise((wake) => { setTimeout(wake, 100); });
  }
}

/** Does a pool's answer to a transaction change with the next block? Forks take back and give nonces. */
const passing = (error) => error instanceof Lost || (error.code >= 1010 && error.code <= 1016);

// Blocks after which no transaction of these can come any more: they live for 64.
const LIFE = 70;
let best = 0;
await api.rpc.chain.subscribeNewHeads(({ number }) => { best = number.toNumber(); });

/** Sends until a block has it, whatever forks do meanwhile. */
async function insist(tx, signer, attempts = 6) {
  for (;;) {
    const seen = await height();
    let watch;
    const outlived = new Promise((_, reject) => {
      watch = setInterval(() => { if (best > seen + LIFE) reject(new Lost(`nothing was heard of it for ${LIFE} blocks`)); }, 500);
    });
    try {
      return await Promise.race([send(api, tx, signer), outlived]);
    } catch (error) {
      if ((attempts -= 1) === 0 || !passing(error)) throw error;
      say(`block ${best}: again ${tx.method.section}.${tx.method.method} of ${signer.address}: ${error.message}`);
      await everyBlock('a block more', () => best > seen);
    } finally {
      clearInterval(watch);
    }
  }
}

/** Sends for an account after what it sent before: two at once would take one nonce. */
const lanes = new Map();
function act(tx, signer) {
  const sent = (lanes.get(signer.address) ?? Promise.resolve()).then(() => insist(tx, signer));
  lanes.set(signer.address, sent.catch(() => {}));
  return sent;
}

// --- tasks ----------------------------------------------------------------------------------------

// Whoever tends a task again, in another process, must find its secrets again.
const secret = (id, who, kind) => blake2AsHex(`${id} ${who.address} ${kind}`);
const answer = (miner) => inline(miner === MINERS[0] ? '{"prime":101,"why":"no divisor up to ten"}' : '{"prime":111,"why":"it looks like one"}');
// Far apart, so that neither counts as a copy of the other.
const simhash = (miner) => (miner === MINERS[0] ? 0x00ff00ff00ff00ffn : 0xff00ff00ff00ff00n);
/** A task, once the best chain has it: the block that had it first may be of a fork. */
async function task(id) {
  const there = async () => {
    const found = await api.query.tasks.tasks(id);
    return found.isSome && found.unwrap();
  };
  return (await there()) || everyBlock(`task ${id} is there`, there);
}

/** A task for two: when both have committed, its open window closes, however long it is. */
async function publish(subject) {
  const spec = inline('{"kind":"text","title":"Name a prime above one hundred","data":{}}');
  const tx = api.tx.tasks.publish({ General: { subject } }, 'Beginner', spec, 10n * TOS, 7_200, 50, MINERS.length, null);
  return find(await act(tx, PUBLISHER), 'tasks', 'Published').task.toHex();
}

async function members(id, round) {
  const view = await api.call.tosApi.round(id, round);
  return view.isNone ? [] : view.unwrap().members.map((member) => ({
    who: JUDGES.find((v) => v.address === member.who.toString()), committed: member.committed.isTrue, voted: member.vote.isSome,
  }));
}

async function scores(id) {
  const order = (await api.query.tasks.answers(id)).map((who) => who.toString());
  return order.map((who) => ({ quality: who === MINERS[0].address ? 95 : 10, innovation: 50, verdict: 'Valid' }));
}

/** What everybody in a task can do for it in this block; the second miner (`hold` is 'miner') or the first judge ('judge') may not commit yet. */
async function due(id, hold) {
  const { phase, round } = await task(id);
  const steps = [];
  if (phase.type === 'Open' || phase.type === 'AnswerReveal') {
    for (const miner of MINERS) {
      const part = await api.query.tasks.submissions(id, miner.address);
      if (part.isNone) {
        if (phase.type === 'Open') steps.push([api.tx.tasks.join(id), miner]);
      } else if (part.unwrap().commitment.isNone) {
        const commitment = answerCommitment(api, id, miner, answer(miner).hash, simhash(miner), secret(id, miner, 'answer'));
        if (phase.type === 'Open' && !(hold === 'miner' && miner === MINERS[1])) steps.push([api.tx.tasks.commit(id, commitment), miner]);
      } else if (phase.type === 'AnswerReveal' && part.unwrap().revealed.isNone) {
        steps.push([api.tx.tasks.reveal(id, answer(miner), simhash(miner), secret(id, miner, 'answer')), miner]);
      }
    }
  } else if (phase.type === 'VoteCommit' || phase.type === 'VoteReveal') {
    const seats = await members(id, round);
    const given = await scores(id);
    for (const { who, committed, voted } of seats.slice(hold === 'judge' ? 1 : 0)) {
      const salt = secret(id, who, `vote ${round}`);
      if (phase.type === 'VoteCommit' && !committed) {
        steps.push([api.tx.judges.commitVote(id, voteCommitment(api, id, round.toNumber(), who, given, null, salt)), who]);
      } else if (phase.type === 'VoteReveal' && committed && !voted) {
        steps.push([api.tx.judges.revealVote(id, given, null, salt), who]);
      }
    }
  }
  return steps;
}

/** Does what is due for tasks, each by itself, until each is where it shall be. */
const tend = (wanted) => Promise.all(wanted.map(({ id, hold, until }) => everyBlock(`task ${id} is where it shall be`, async () => {
  if (await until()) return true;
  const steps = await due(id, hold);
  for (const [tx, who] of steps) say(`task ${id}: ${tx.method.method} by ${who.address}`);
  const done = await Promise.allSettled(steps.map(([tx, who]) => act(tx, who)));
  // A phase may end between the look and the block; what counts is where the task comes to.
  for (const { reason } of done) if (reason && !(reason instanceof Refused)) throw reason;
  return until();
})));

async function ended(id) {
  const { phase } = await task(id);
  if (phase.type === 'Closed' && phase.asClosed.type !== 'Settled') throw new Error(`task ${id} ended as ${phase.asClosed}`);
  return phase.type === 'Closed';
}

// --- the upgrade ----------------------------------------------------------------------------------

const prefix = (pallet, item) => xxhashAsHex(pallet, 128) + xxhashAsHex(item, 128).slice(2);
const little = (hex) => (hex ? BigInt(`0x${Buffer.from(hex.slice(2), 'hex').reverse().toString('hex')}`) : 0n);
/** What is stored under a key, as it is: no metadata has to fit. */
const stored = (key, block) => api.rpc.state.getStorage.raw(key, ...(block ? [block] : []));
const issuance = async (block) => little(await stored(prefix('Balances', 'TotalIssuance'), block));

/** Puts `call` to the vote as root and resolves when it has been enacted. */
async function decide(call) {
  await act(api.tx.preimage.notePreimage(call.method.toHex()), at('//Alice'));
  const lookup = { Lookup: { hash: call.method.hash.toHex(), len: call.method.encodedLength } };
  const submitted = await act(api.tx.referenda.submit({ system: 'Root' }, lookup, { After: 0 }), at('//Alice'));
  const { index } = find(submitted, 'referenda', 'Submitted');
  await act(api.tx.referenda.placeDecisionDeposit(index), at('//Alice'));
  const vote = { Standard: { vote: { aye: true, conviction: 'Locked1x' }, balance: 900_000n * TOS } };
  await Promise.all(VOTERS.map((voter) => act(api.tx.convictionVoting.vote(index, vote), voter)));
}

/** Every key of the state at a block. */
async function keys(block) {
  const all = [];
  for (let last; ;) {
    const page = await api.rpc.state.getKeysPaged.raw('0x', 1_000, last, block);
    all.push(...page);
    if (page.length < 1_000) return all;
    last = page.at(-1);
  }
}

/** Values of the state at a block that the metadata there does not know, or not to the last byte. */
async function undecoded(block) {
  const then = await api.at(block);
  const known = new Map();
  for (const pallet of then.registry.metadata.pallets) {
    if (pallet.storage.isNone) continue;
    const { prefix: name, items } = pallet.storage.unwrap();
    for (const item of items) {
      const id = item.type.isPlain ? item.type.asPlain : item.type.asMap.value;
      known.set(prefix(name.toString(), item.name.toString()), [`${name}.${item.name}`, then.registry.createLookupType(id)]);
    }
  }
  const wrong = [];
  // Not those of the executor (`:code`), nor the storage versions, which also pallets without storage have.
  const version = xxhashAsHex(':__STORAGE_VERSION__:', 128).slice(2);
  const all = (await keys(block)).filter((key) => !key.startsWith('0x3a') && !(key.length === 66 && key.endsWith(version)));
  for (let from = 0; from < all.length; from += 200) {
    const part = all.slice(from, from + 200);
    const [set] = await api.rpc.state.queryStorageAt.raw(part, block);
    for (const [key, value] of set.changes) {
      const entry = known.get(key.slice(0, 66));
      const [name, type] = entry ?? [key, null];
      try {
        if (!type || !u8aEq(then.registry.createType(type, hexToU8a(value)).toU8a(), hexToU8a(value))) wrong.push(name);
      } catch {
        wrong.push(name);
      }
    }
  }
  return { count: all.length, wrong: [...new Set(wrong)] };
}

/** The fields of a record that two metadata have in common. */
const common = (old, now) => Object.keys(old).filter((field) => field in now);

const held = async (then) => Object.fromEntries((await then.query.balances.holds.entries())
  .map(([key, holds]) => [key.args[0].toString(), holds.reduce((sum, hold) => sum + hold.amount.toBigInt(), 0n).toString()]));

async function owned(then) {
  return (await then.query.system.account.entries())
    .reduce((sum, [, { data }]) => sum + data.free.toBigInt() + data.reserved.toBigInt(), 0n);
}

const actions = {
  /** The version of the runtime at the head, and those of all pallets' storage. */
  async versions() {
    const storage = {};
    for (const pallet of api.runtimeMetadata.asLatest.pallets) {
      if (pallet.storage.isNone) continue;
      const name = pallet.storage.unwrap().prefix.toString();
      storage[name] = Number(little(await stored(prefix(name, ':__STORAGE_VERSION__:'))));
    }
    return { spec: api.runtimeVersion.specVersion.toNumber(), storage };
  },

  /** Authorises an upgrade to a code of this hash, by the sudo key or by a vote. */
  async authorise(how, code) {
    const call = api.tx.system.authorizeUpgrade(code);
    if (how === 'sudo') await act(api.tx.sudo.sudo(call), at('//Alice'));
    else await decide(call);
    const authorised = await everyBlock('the upgrade is authorised', async () => {
      const found = await api.query.system.authorizedUpgrade();
      return found.isSome && found.unwrap().codeHash.toHex();
    });
    if (authorised !== code) throw new Error(`authorised was ${authorised}`);
    // Nobody can slip another code in.
    const other = await send(api, api.tx.system.applyAuthorizedUpgrade('0x1234'), at('//Two')).then(() => null, (error) => error);
    if (!(other instanceof Error)) throw new Error('a code that nobody authorised was taken');
    return { authorised, refused: other.message };
  },

  /** Tasks in every state of unrest: one nobody joined, one answer of two committed, two votes of three committed, settled and not claimed. */
  async prepare() {
    await Promise.all(MINERS.map((miner) => act(api.tx.miners.register(['General']), miner)));
    await Promise.all(JUDGES.map((judge) => act(api.tx.judges.register(['General']), judge)));
    const [settled, open] = [await publish('settled'), await publish('open')];
    await tend([{ id: settled, until: () => ended(settled) }]);
    // The last two: votes wait for half a minute only.
    const committed = await publish('committed');
    await tend([{ id: committed, hold: 'miner', until: async () => (await task(committed)).committed.toNumber() === 1 }]);
    const voting = await publish('voting');
    await tend([{ id: voting, hold: 'judge', until: async () => (await members(voting, 0)).filter((member) => member.committed).length === 2 }]);
    return { open, committed, voting, settled };
  },

  /** Applies the authorised upgrade as somebody who may do nothing else, and says what the chain did then. */
  async apply(file) {
    const code = u8aToHex(readFileSync(file));
    const before = api.runtimeVersion.specVersion.toNumber();
    const from = await height();
    await act(api.tx.system.applyAuthorizedUpgrade(code), at('//Two'));
    const version = async (number) => (await api.rpc.state.getRuntimeVersion(await hash(number))).specVersion.toNumber();
    const final = async () => (await api.rpc.chain.getHeader(await api.rpc.chain.getFinalizedHead())).number.toNumber();
    // Looked for among final blocks: the one in which it was first seen may be of a fork.
    await everyBlock('the new code is final', async () => (await version(await final())) > before);
    let upgrade = from;
    while ((await version(upgrade)) === before) upgrade += 1;
    const migrated = await everyBlock('the migrations are over', async () => {
      for (let number = upgrade + 1; number <= await final(); number += 1) {
        const then = await api.at(await hash(number));
        if ((await then.query.multiBlockMigrations.cursor()).isNone) return number;
      }
      return null;
    });
    return { before, after: await version(migrated), upgrade, migrated };
  },

  /** Looks at the state before and after: nothing may be lost, and everything must be readable. */
  async compare(upgrade, migrated) {
    const wrong = [];
    const [first, last] = [Number(upgrade) - 1, Number(migrated)];
    const [old, now] = await Promise.all([first, last].map(async (number) => api.at(await hash(number))));
    // Fees of the upgrade go to the treasury and the author; only what is too small for either is burnt.
    let fees = 0n;
    for (let number = first + 1; number <= last; number += 1) {
      const [parent, block] = await Promise.all([hash(number - 1), hash(number)]);
      const events = (await (await api.at(block)).query.system.events()).map(({ event }) => event);
      const paid = events.filter((e) => e.section === 'transactionPayment' && e.method === 'TransactionFeePaid')
        .reduce((sum, e) => sum + e.data.actualFee.toBigInt() + e.data.tip.toBigInt(), 0n);
      fees += paid;
      const change = (await issuance(block)) - (await issuance(parent));
      const era = events.some((e) => e.section === 'staking' && e.method === 'EraPaid');
      if (!era && (change > 0n || change < -paid)) wrong.push(`block ${number} changed the issuance by ${change} wei, with ${paid} wei of fees`);
    }
    for (const [then, number] of [[old, first], [now, last]]) {
      const [sum, total] = [await owned(then), await issuance(await hash(number))];
      if (sum !== total) wrong.push(`accounts own ${sum} wei at block ${number}, and ${total} were issued`);
    }
    const [heldBefore, heldAfter] = [await held(old), await held(now)];
    for (const [who, amount] of Object.entries(heldBefore)) {
      if (heldAfter[who] !== amount) wrong.push(`of ${who} ${amount} wei were held, and now ${heldAfter[who] ?? 0}`);
    }
    // Records say what they said.
    const tasks = await old.query.tasks.tasks.entries();
    const added = new Set();
    for (const [key, record] of tasks) {
      const id = key.args[0].toHex();
      const found = await now.query.tasks.tasks(id);
      if (found.isNone) {
        wrong.push(`task ${id} is gone`);
        continue;
      }
      const [was, is] = [record.unwrap().toJSON(), found.unwrap().toJSON()];
      for (const field of common(was, is)) {
        if (JSON.stringify(was[field]) !== JSON.stringify(is[field])) wrong.push(`task ${id}: ${field} was ${JSON.stringify(was[field])} and is ${JSON.stringify(is[field])}`);
      }
      Object.keys(is).filter((field) => !(field in was)).forEach((field) => added.add(field));
    }
    const state = await undecoded(await hash(last));
    state.wrong.forEach((name) => wrong.push(`${name} does not decode`));
    return { wrong, tasks: tasks.length, added: [...added], values: state.count, fees: fees.toString() };
  },

  /** Brings the tasks to their end, and claims what the settled one pays. */
  async finish(names) {
    const { open, committed, voting, settled } = JSON.parse(names);
    await act(api.tx.rewards.claim(settled), MINERS[0]);
    await tend([voting, committed, open].map((id) => ({ id, until: () => ended(id) })));
    const paid = {};
    for (const [name, id] of Object.entries({ voting, committed, open })) {
      const claimed = find(await act(api.tx.rewards.claim(id), MINERS[0]), 'rewards', 'Claimed');
      paid[name] = claimed.amount.toString();
      if (claimed.amount.toBigInt() < (10n * TOS * 65n) / 100n) throw new Error(`task ${name} paid its winner ${claimed.amount} wei`);
    }
    return { paid };
  },
};

await conclude(api, () => actions[action](...rest));
