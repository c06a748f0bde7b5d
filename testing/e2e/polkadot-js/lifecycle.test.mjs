// SPDX-License-Identifier: Apache-2.0
// The whole life of a task with @polkadot/api alone: extrinsics, events, typed errors, runtime APIs by name.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bookings } from './bookings.mjs';
import { answerCommitment, find, inline, salt, send, TOS, untilBlock, voteCommitment } from './chain.mjs';
import { connected } from './connection.mjs';

const GENERAL = { General: { subject: 'end-to-end' } };
const SPEC = inline('{"kind":"text","title":"Name a prime above one hundred","data":{}}');

let node;
let api;
let actors;

before(async () => {
  let at;
  ({ node, api, at } = await connected());
  actors = {
    publisher: at('//Alice'),
    miners: [at('//Bob'), at('//Charlie')],
    judges: [at('//Dave'), at('//Eve'), at('//Ferdie'), at('//One')],
  };
});

after(async () => {
  await api?.disconnect();
  await node?.stop();
});

const task = (id) => api.query.tasks.tasks(id).then((found) => (found.isSome ? found.unwrap() : null));
const phase = async (id) => (await task(id))?.phase.type;
const refused = (promise, name) => assert.rejects(promise, { name });

test('miners and judges register and show up by name', async () => {
  const { miners, judges } = actors;
  await Promise.all(miners.map((m) => send(api, api.tx.miners.register(['General']), m)));
  await Promise.all(judges.map((v) => send(api, api.tx.judges.register(['General']), v)));
  await refused(send(api, api.tx.miners.register(['General']), miners[0]), 'miners.AlreadyRegistered');
  const chain = await api.call.tosApi.chain();
  assert.equal(chain.miners.toNumber(), 2);
  assert.equal(chain.judges.toNumber(), 4);
});

test('a task runs from escrow to payout, final under GRANDPA', async () => {
  const { publisher, miners } = actors;
  const reward = 10n * TOS;
  const issuance = (await api.query.balances.totalIssuance()).toBigInt();

  // Bad input is refused by name and changes nothing.
  const publish = (amount, quality = 50) =>
    api.tx.tasks.publish(GENERAL, 'Beginner', SPEC, amount, 60, quality, 4, null);
  await refused(send(api, publish(4n * TOS), publisher), 'tasks.RewardOutsideBand');
  await refused(send(api, publish(reward, 101), publisher), 'tasks.QualityOutOfRange');

  const { task: id } = find(await send(api, publish(reward), publisher), 'tasks', 'Published');
  const open = await api.call.tosApi.openTasks('General', null, 10);
  assert.deepEqual(open.map((t) => t.id.toHex()), [id.toHex()]);

  // Joining: the publisher cannot, a miner can, once.
  assert.ok((await api.call.tosApi.canSubmit(miners[0].address, id)).isOk);
  await refused(send(api, api.tx.tasks.join(id), publisher), 'tasks.OwnTask');
  await Promise.all(miners.map((m) => send(api, api.tx.tasks.join(id), m)));
  await refused(send(api, api.tx.tasks.join(id), miners[0]), 'tasks.AlreadyJoined');

  const answers = ['{"prime":101,"why":"no divisor up to ten"}', '{"prime":111,"why":"it looks like one"}'].map(inline);
  // Far apart, so that neither counts as a copy of the other.
  const simhashes = [0x00ff00ff00ff00ffn, 0xff00ff00ff00ff00n];
  const secrets = miners.map(salt);
  await Promise.all(miners.map((m, i) =>
    send(api, api.tx.tasks.commit(id, answerCommitment(api, id, m, answers[i].hash, simhashes[i], secrets[i])), m)));
  await refused(
    send(api, api.tx.tasks.reveal(id, answers[0], simhashes[0], secrets[0]), miners[0]),
    'tasks.NotInReveal',
  );

  // Reveals wait for the end of the open window; a wrong preimage is refused.
  await untilBlock(api, async () => (await phase(id)) === 'AnswerReveal', 'answer reveal');
  await refused(send(api, api.tx.tasks.reveal(id, answers[1], simhashes[0], secrets[0]), miners[0]), 'tasks.WrongPreimage');
  await Promise.all(miners.map((m, i) => send(api, api.tx.tasks.reveal(id, answers[i], simhashes[i], secrets[i]), m)));

  // The panel is drawn afterwards, from judges only; its members vote in commit and reveal.
  await untilBlock(api, async () => (await phase(id)) === 'VoteCommit', 'vote commit');
  const seated = (await api.call.tosApi.round(id, 0)).unwrap().members.map((member) => member.who.toString());
  const judges = actors.judges.filter((v) => seated.includes(v.address));
  assert.equal(judges.length, 3);
  const outsider = actors.judges.find((v) => !seated.includes(v.address));
  const foreign = api.tx.judges.commitVote(id, '0x' + '00'.repeat(32));
  await refused(send(api, foreign, outsider), 'judges.NotOnPanel');
  await refused(send(api, foreign, miners[0]), 'judges.NotJudge');
  // Bob's answer is 101, a prime; Charlie's is 3 × 37. Answers are in the order of commitment.
  const order = (await api.query.tasks.answers(id)).map((who) => who.toString());
  const scores = order.map((who) =>
    (who === miners[0].address
      ? { quality: 95, innovation: 50, verdict: 'Valid' }
      : { quality: 10, innovation: 50, verdict: 'Valid' }));
  const voteSecrets = judges.map(salt);
  await Promise.all(judges.map((v, i) =>
    send(api, api.tx.judges.commitVote(id, voteCommitment(api, id, 0, v, scores, null, voteSecrets[i])), v)));
  await untilBlock(api, async () => (await phase(id)) === 'VoteReveal', 'vote reveal');
  const tooHigh = scores.map((s) => ({ ...s, quality: 101 }));
  await refused(
    send(api, api.tx.judges.revealVote(id, tooHigh, null, voteSecrets[0]), judges[0]),
    'judges.ScoreOutOfRange',
  );
  await Promise.all(judges.map((v, i) => send(api, api.tx.judges.revealVote(id, scores, null, voteSecrets[i]), v)));

  await untilBlock(api, async () => (await phase(id)) === 'Closed', 'settlement');
  const closed = await task(id);
  assert.equal(closed.phase.asClosed.type, 'Settled');

  // Everybody's share, by runtime API: the prime wins, the composite gets nothing.
  const claims = Object.fromEntries(await Promise.all([...miners, ...judges].map(async (who) => {
    const list = await api.call.tosApi.claimable(who.address);
    return [who.address, list.reduce((sum, claim) => sum + claim.amount.toBigInt(), 0n)];
  })));
  assert.ok(claims[miners[0].address] >= (reward * 65n) / 100n);
  assert.equal(claims[miners[1].address], 0n);
  const judgeShare = judges.reduce((sum, v) => sum + claims[v.address], 0n);
  assert.equal(judgeShare, (reward * 15n) / 100n);

  // A claim pays once.
  const balance = async (who) => (await api.query.system.account(who.address)).data.free.toBigInt();
  const before = await balance(miners[0]);
  const paid = find(await send(api, api.tx.rewards.claim(id), miners[0]), 'rewards', 'Claimed');
  assert.equal(paid.amount.toBigInt(), claims[miners[0].address]);
  assert.ok((await balance(miners[0])) > before);
  await refused(send(api, api.tx.rewards.claim(id), miners[0]), 'rewards.NothingToClaim');

  // Anybody may claim for somebody else, who gets all of it.
  const [judge] = judges;
  const had = await balance(judge);
  await send(api, api.tx.rewards.claimAllFor(judge.address), publisher);
  assert.equal(await balance(judge), had + claims[judge.address]);

  // Reputations moved apart, and no wei was made or lost.
  const reputation = async (who) => (await api.call.tosApi.reputation(who.address)).global.score.toNumber();
  assert.ok((await reputation(miners[0])) > 1000);
  assert.ok((await reputation(miners[1])) < 1000);
  assert.ok((await api.query.balances.totalIssuance()).toBigInt() >= issuance);

  // The timeline tells it all, and GRANDPA has finalised it.
  const phases = (await api.call.tosApi.timeline(id)).map((entry) => entry.phase.type);
  assert.deepEqual(phases, ['Open', 'AnswerReveal', 'PanelDraw', 'VoteCommit', 'VoteReveal', 'Challenge', 'Closed']);
  const height = (await api.rpc.chain.getHeader()).number.toNumber();
  await untilBlock(api, async () => {
    const head = await api.rpc.chain.getFinalizedHead();
    return (await api.rpc.chain.getHeader(head)).number.toNumber() >= height;
  }, 'finality');
});

test('a cancelled task gives the reward back, less the fee', async () => {
  const { publisher } = actors;
  const events = await send(api, api.tx.tasks.publish(GENERAL, 'Beginner', SPEC, 5n * TOS, 60, 50, 4, null), publisher);
  const { task: id } = find(events, 'tasks', 'Published');
  await refused(send(api, api.tx.tasks.cancel(id), actors.miners[0]), 'tasks.NotPublisher');
  await send(api, api.tx.tasks.cancel(id), publisher);
  assert.equal(await phase(id), 'Closed');
  const held = await api.query.balances.holds(publisher.address);
  assert.equal(held.reduce((sum, hold) => sum + hold.amount.toBigInt(), 0n), 0n);
});

test('every call, event, error and storage item of the domain is documented in the metadata', () => {
  const { pallets } = api.runtimeMetadata.asLatest;
  const domain = ['Clock', 'Tasks', 'Miners', 'Reputation', 'Judges', 'Rewards', 'Beacon', 'Storage'];
  assert.deepEqual(domain.filter((name) => !pallets.some((p) => p.name.toString() === name)), []);
  const undocumented = [];
  for (const pallet of pallets.filter((p) => domain.includes(p.name.toString()))) {
    const variants = (type) => (type.isSome ? api.registry.lookup.getSiType(type.unwrap().type).def.asVariant.variants : []);
    for (const kind of ['calls', 'events', 'errors']) {
      for (const v of variants(pallet[kind])) if (v.docs.length === 0) undocumented.push(`${pallet.name}.${kind}.${v.name}`);
    }
    if (pallet.storage.isSome) {
      for (const item of pallet.storage.unwrap().items) {
        if (item.docs.length === 0) undocumented.push(`${pallet.name}.storage.${item.name}`);
      }
    }
  }
  assert.deepEqual(undocumented, []);
});

test('in every block so far, events belong to the extrinsic that caused them or to none', async () => {
  const { automatic, wrong } = await bookings(api);
  assert.deepEqual(wrong, []);
  assert.ok(automatic > 0, 'something happened by itself');
});
