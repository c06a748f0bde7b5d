// SPDX-License-Identifier: Apache-2.0
// What panels check with, on a node: a pinned tool, a control answer, and levels, by extrinsics and runtime APIs alone.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bookings } from './bookings.mjs';
import { answerCommitment, find, inline, controlAnswer, salt, send, TOS, untilBlock, voteCommitment } from './chain.mjs';
import { connected } from './connection.mjs';

const GENERAL = { General: { subject: 'checks' } };
const TOOL = '0x' + '70'.repeat(32);

let node;
let api;
let at;

before(async () => {
  ({ node, api, at } = await connected());
});

after(async () => {
  await api?.disconnect();
  await node?.stop();
});

const phase = async (id) => (await api.query.tasks.tasks(id)).unwrap().phase.type;
const refused = (promise, name) => assert.rejects(promise, { name });

test('automatic members report under their commitments, and a control answer measures them after the count', async () => {
  const [alice, author, miner] = ['//Alice', '//Bob', '//Charlie'].map(at);
  const judges = ['//Dave', '//Eve', '//Ferdie'].map(at);
  const sudo = (call) => send(api, api.tx.sudo.sudo(call), alice);
  await sudo(api.tx.tasks.setTaskType('General', { equalAnswersAllowed: false, tool: TOOL }));
  await assert.rejects(send(api, api.tx.judges.setControlAuthor(author.address, true), alice), /BadOrigin/);
  assert.ok((await api.query.judges.controlAuthors(author.address)).isNone);
  await sudo(api.tx.judges.setControlAuthor(author.address, true));
  assert.ok((await api.query.judges.controlAuthors(author.address)).isSome);
  const register = [author, miner].map((m) => send(api, api.tx.miners.register(['General']), m));
  await Promise.all([...register, ...judges.map((v) => send(api, api.tx.judges.register(['General']), v))]);

  const spec = inline('{"kind":"text","title":"Say how many legs a spider has","data":{}}');
  const publish = api.tx.tasks.publish(GENERAL, 'Beginner', spec, 10n * TOS, 60, 50, 2, null);
  const { task: id } = find(await send(api, publish, alice), 'tasks', 'Published');
  await Promise.all([author, miner].map((m) => send(api, api.tx.tasks.join(id), m)));

  // The control answer is wrong on purpose, and says so only to who knows the secret.
  const answers = [inline('{"legs":6,"why":"like a fly"}'), inline('{"legs":8,"why":"counted twice"}')];
  const simhashes = [0x00ff00ff00ff00ffn, 0xff00ff00ff00ff00n];
  const [quality, secret] = [10, salt()];
  const secrets = [controlAnswer(api, id, author, answers[0].hash, quality, secret), salt()];
  for (const [i, who] of [author, miner].entries()) {
    await send(api, api.tx.tasks.commit(id, answerCommitment(api, id, who, answers[i].hash, simhashes[i], secrets[i])), who);
  }
  await untilBlock(api, async () => (await phase(id)) === 'AnswerReveal', 'answer reveal');
  await Promise.all([author, miner].map((m, i) =>
    send(api, api.tx.tasks.reveal(id, answers[i], simhashes[i], secrets[i]), m)));
  await untilBlock(api, async () => (await phase(id)) === 'VoteCommit', 'vote commit');
  await refused(send(api, api.tx.judges.revealControl(id, quality, secret), author), 'judges.NoControlNow');

  // A panel of three: everybody runs the tool, which is told by the duty.
  const [duty] = await api.call.tosApi.duties(judges[0].address);
  assert.equal(duty.tool.unwrap().toHex(), TOOL);
  // Two find that the first answer fails; the third runs something else and is carried away by it.
  const report = { output: '0x' + '11'.repeat(32), failed: 1 };
  const votes = judges.map((_, i) => ({
    scores: [{ quality: i === 2 ? 20 : 10, innovation: 50, verdict: 'Valid' }, { quality: 90, innovation: 50, verdict: 'Valid' }],
    report: i === 2 ? { output: '0x' + '22'.repeat(32), failed: 0 } : report,
    secret: salt(),
  }));
  await Promise.all(judges.map((v, i) => send(api, api.tx.judges.commitVote(
    id, voteCommitment(api, id, 0, v, votes[i].scores, votes[i].report, votes[i].secret)), v)));
  await untilBlock(api, async () => (await phase(id)) === 'VoteReveal', 'vote reveal');
  const copied = api.tx.judges.revealVote(id, votes[2].scores, report, votes[2].secret);
  await refused(send(api, copied, judges[2]), 'judges.WrongPreimage');
  await Promise.all(judges.map((v, i) =>
    send(api, api.tx.judges.revealVote(id, votes[i].scores, votes[i].report, votes[i].secret), v)));

  await untilBlock(api, async () => (await phase(id)) === 'Challenge', 'challenge window');
  await refused(send(api, api.tx.judges.revealControl(id, 90, secret), author), 'judges.WrongKey');
  const told = find(await send(api, api.tx.judges.revealControl(id, quality, secret), author), 'judges', 'ControlRevealed');
  assert.equal(told.quality.toNumber(), quality);
  await refused(send(api, api.tx.judges.revealControl(id, quality, secret), author), 'judges.AlreadyKnown');
  await untilBlock(api, async () => (await phase(id)) === 'Closed', 'settlement');

  const round = (await api.call.tosApi.round(id, 0)).unwrap();
  assert.equal(round.tally.unwrap().type, 'Consensus');
  assert.equal(round.report.unwrap().output.toHex(), report.output);
  assert.ok(round.members.every((member) => member.automatic.isTrue));
  const standing = await Promise.all(judges.map(async (v) => (await api.call.tosApi.judge(v.address)).unwrap()));
  assert.deepEqual(standing.map((v) => v.checks.toNumber()), [1, 1, 1]);
  assert.ok(standing[0].known.toNumber() > standing[2].known.toNumber());
  // The one whose tool found something else earned nothing.
  const earned = await Promise.all(judges.map(async (v) => (await api.call.tosApi.claimable(v.address)).length));
  assert.deepEqual(earned, [1, 1, 0]);
  const stats = await api.query.judges.checks();
  assert.deepEqual([stats.answers.toNumber(), stats.checks.toNumber()], [2, 1]);
});

test('endorsements and reviews have their rules, and a miner reads its level', async () => {
  const [alice, miner, other] = ['//Alice', '//Charlie', '//Bob'].map(at);
  await refused(send(api, api.tx.miners.endorse(miner.address), other), 'miners.NotEntitled');
  await send(api, api.tx.sudo.sudo(api.tx.miners.certify(other.address, 'Professional', 1_000_000_000)), alice);
  await send(api, api.tx.miners.endorse(miner.address), other);
  await refused(send(api, api.tx.miners.endorse(miner.address), other), 'miners.AlreadyEndorsed');
  await refused(send(api, api.tx.miners.reviewLevel(miner.address), alice), 'miners.NothingToReview');
  const view = (await api.call.tosApi.miner(miner.address)).unwrap();
  assert.equal(view.level.type, 'Standard');
  assert.deepEqual([view.endorsements.toNumber(), view.success.toNumber()], [1, 10_000]);
  await refused(send(api, api.tx.miners.retractEndorsement(other.address, miner.address), alice), 'miners.NotInvolved');
  await send(api, api.tx.miners.retractEndorsement(other.address, miner.address), miner);
  assert.equal((await api.call.tosApi.miner(miner.address)).unwrap().endorsements.toNumber(), 0);
});

test('in every block so far, events belong to the extrinsic that caused them or to none', async () => {
  const { automatic, wrong } = await bookings(api);
  assert.deepEqual(wrong, []);
  assert.ok(automatic > 0, 'something happened by itself');
});
