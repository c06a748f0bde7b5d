// SPDX-License-Identifier: Apache-2.0
// Decisions by extrinsics alone, on a network that has no sudo key: a parameter, a spend, a pause, an upgrade.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { blake2AsHex } from '@polkadot/util-crypto';
import { bookings } from './bookings.mjs';
import { find, inline, send, TOS, untilBlock } from './chain.mjs';
import { connected } from './connection.mjs';
import { BINARY } from './node.mjs';

let dir;
let node;
let api;
let alice;
let bob;
let voters;
let at;

/** A `dev-fast` network whose genesis names no sudo key. */
async function withoutSudo(path) {
  const spec = execFileSync(BINARY, ['export-chain-spec', '--chain', 'dev-fast'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  // By text: amounts are too large for JavaScript's numbers.
  const key = /("sudo":\s*\{\s*"key":\s*)"[^"]+"/;
  assert.match(spec, key, 'the preset has a sudo key to take away');
  await writeFile(path, spec.replace(key, '$1null'));
}

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tos-governance-'));
  const spec = join(dir, 'spec.json');
  await withoutSudo(spec);
  ({ node, api, at } = await connected({ chain: spec }));
  [alice, bob] = ['//Alice', '//Bob'].map(at);
  voters = ['//Bob', '//Charlie', '//Dave', '//Eve', '//Ferdie', '//One', '//Two', '//Alice//stash', '//Bob//stash'].map(at);
});

after(async () => {
  await api?.disconnect();
  await node?.stop();
  if (dir) await rm(dir, { recursive: true, force: true });
});

/** Puts `call` to the vote as `origin`; everybody with a vote says aye. Resolves when it has been enacted. */
async function decide(origin, call) {
  await send(api, api.tx.preimage.notePreimage(call.method.toHex()), alice);
  const lookup = { Lookup: { hash: call.method.hash.toHex(), len: call.method.encodedLength } };
  const submitted = await send(api, api.tx.referenda.submit(origin, lookup, { After: 0 }), alice);
  const { index } = find(submitted, 'referenda', 'Submitted');
  await send(api, api.tx.referenda.placeDecisionDeposit(index), alice);
  const vote = { Standard: { vote: { aye: true, conviction: 'Locked1x' }, balance: 900_000n * TOS } };
  await Promise.all(voters.map((voter) => send(api, api.tx.convictionVoting.vote(index, vote), voter)));
  let enacted;
  const stop = await api.query.system.events((records) => {
    const done = records.find(({ event }) => event.section === 'scheduler' && event.method === 'Dispatched'
      && event.data[1].isSome);
    if (done) enacted = done.event.data[2];
  });
  await untilBlock(api, () => enacted, `referendum ${index}`, 150);
  stop();
  assert.ok(enacted.isOk, `referendum ${index} was enacted with ${enacted}`);
}

/** The committee's two of three decide on `call`. */
async function motion(call) {
  const length = call.method.encodedLength;
  const proposed = await send(api, api.tx.technicalCommittee.propose(2, call, length), alice);
  const { proposal_index: index, proposal_hash: hash } = find(proposed, 'technicalCommittee', 'Proposed');
  await Promise.all([alice, bob].map((member) => send(api, api.tx.technicalCommittee.vote(hash, index, true), member)));
  const weight = { refTime: 10_000_000_000n, proofSize: 1_000_000n };
  const { result } = find(await send(api, api.tx.technicalCommittee.close(hash, index, weight, length), bob), 'technicalCommittee', 'Executed');
  assert.ok(result.isOk, `the motion was executed with ${result}`);
}

const parameters = { Origins: 'Parameters' };
const publish = () =>
  api.tx.tasks.publish({ General: { subject: 'paused' } }, 'Beginner', inline('{"kind":"text","title":"nothing at all"}'), 10n * TOS, 60, 50, 4, null);

test('nobody holds the sudo key', async () => {
  assert.ok((await api.query.sudo.key()).isNone);
  await assert.rejects(send(api, api.tx.sudo.sudo(api.tx.system.remark('0x00')), alice), { name: 'sudo.RequireSudo' });
});

/** `parameters`, as they are now, with one group of the rules of tasks changed. */
const rules = async (group, change) => {
  const now = (await api.call.tosApi.parameters())[group].toJSON();
  const name = group[0].toUpperCase() + group.slice(1);
  return api.tx.parameters.setParameter({ Tasks: { [name]: [null, { ...now, ...change }] } });
};

test('the protocol\'s parameters change by referendum, and tasks keep the rules they were published with', async () => {
  const before = find(await send(api, publish(), alice), 'tasks', 'Published').task;
  await decide(parameters, await rules('publishing', { publisherStake: 2_000 }));
  assert.equal((await api.call.tosApi.parameters()).publishing.publisherStake.toNumber(), 2_000);
  const after = find(await send(api, publish(), alice), 'tasks', 'Published').task;
  const found = async (task) => (await api.query.tasks.tasks(task)).unwrap();
  const [old, young] = [await found(before), await found(after)];
  const set = async (number) => (await api.query.tasks.ruleSets(number)).unwrap();
  assert.equal(old.publisherStake.toBigInt(), TOS);
  assert.equal((await set(old.rules)).rules.publishing.publisherStake.toNumber(), 1_000);
  assert.equal(young.publisherStake.toBigInt(), 2n * TOS);
  assert.equal((await set(young.rules)).rules.publishing.publisherStake.toNumber(), 2_000);
});

test('a parameter out of its bounds is refused before anybody pays', async () => {
  const greedy = await rules('slashes', { plagiarism: 10_001 });
  await assert.rejects(send(api, greedy, alice), /RpcError: 1002: /);
  await assert.rejects(send(api, await rules('slashes', { plagiarism: 9_000 }), alice), /badOrigin/i);
});

test('a task type changes by referendum', async () => {
  await decide(parameters, api.tx.tasks.setTaskType({ Custom: 9 }, { equalAnswersAllowed: true }));
  assert.ok((await api.query.tasks.taskTypes({ Custom: 9 })).unwrap().equalAnswersAllowed.isTrue);
});

test('a treasury spend is paid once', async () => {
  const beneficiary = at('//Governance//beneficiary').address;
  await send(api, api.tx.balances.transferKeepAlive((await treasury()), 50n * TOS), alice);
  await decide({ Origins: 'Treasurer' }, api.tx.treasury.spend(null, 20n * TOS, beneficiary, null));
  const free = async () => (await api.query.system.account(beneficiary)).data.free.toBigInt();
  await send(api, api.tx.treasury.payout(0), bob);
  assert.equal(await free(), 20n * TOS);
  await assert.rejects(send(api, api.tx.treasury.payout(0), bob), { name: 'treasury.AlreadyAttempted' });
  await send(api, api.tx.treasury.checkStatus(0), bob);
  await assert.rejects(send(api, api.tx.treasury.payout(0), bob), { name: 'treasury.InvalidIndex' });
  assert.equal(await free(), 20n * TOS);
});

/** The account of the treasury: `modl` and the pallet's identifier. */
async function treasury() {
  const id = api.consts.treasury.palletId.toHex().slice(2);
  return `0x${Buffer.from('modl').toString('hex')}${id}`.padEnd(66, '0');
}

test('the committee pauses and resumes; claims stay open', async () => {
  const name = ['Tasks', 'publish'];
  await motion(api.tx.txPause.pause(name));
  await assert.rejects(send(api, publish(), alice), { name: 'system.CallFiltered' });
  // Nothing to claim, but the call is let in and says so itself.
  await assert.rejects(send(api, api.tx.rewards.claim('0x00000000000000000000000000000000'), alice), (error) => error.name.startsWith('rewards.'));
  await motion(api.tx.txPause.unpause(name));
  find(await send(api, publish(), alice), 'tasks', 'Published');
});

test('an upgrade is authorised by referendum and applied by anyone', async () => {
  const code = (await api.rpc.state.getStorage(':code')).toHex();
  const hash = blake2AsHex(code, 256);
  await decide({ system: 'Root' }, api.tx.system.authorizeUpgradeWithoutChecks(hash));
  assert.equal((await api.query.system.authorizedUpgrade()).unwrap().codeHash.toHex(), hash);
  await assert.rejects(send(api, api.tx.system.applyAuthorizedUpgrade('0x1234'), bob));
  const events = await send(api, api.tx.system.applyAuthorizedUpgrade(code), bob);
  find(events, 'system', 'CodeUpdated');
  // The chain goes on under it.
  const height = (await api.rpc.chain.getHeader()).number.toNumber();
  await untilBlock(api, async () => (await api.rpc.chain.getHeader()).number.toNumber() > height + 4, 'blocks after the upgrade');
});

test('in every block so far, events belong to the extrinsic that caused them or to none', async () => {
  const { automatic, wrong } = await bookings(api);
  assert.deepEqual(wrong, []);
  assert.ok(automatic > 0, 'something happened by itself');
});
