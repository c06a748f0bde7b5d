// SPDX-License-Identifier: Apache-2.0
// The beacon and storage on a running node: the walk that blocks include, what a client reads of it, and refusals by name.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { blake3 } from '@noble/hashes/blake3';
import { bnToU8a, hexToU8a, stringToU8a, u8aConcat, u8aToHex } from '@polkadot/util';
import { rpc } from '../../../client/sdk/polkadot-js/definitions.mjs';
import { bookings } from './bookings.mjs';
import { authorised, find, outcomes, send, TOS, untilBlock } from './chain.mjs';
import { connected } from './connection.mjs';

const NOWHERE = '00000000-0000-4000-8000-000000000000';
const NOTHING = `0x${NOWHERE.replaceAll('-', '')}`;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const HASH = `0x${'11'.repeat(32)}`;
const LOCATOR = 'http://127.0.0.1:9956';
// One byte is coded as two chunks of 4 KiB: 128 words.
const CONTENT = { hash: HASH, length: 1, locator: LOCATOR };
const CODED = { root: HASH, words: 128 };
const TERMS = { price: TOS, retention: { BillingPeriods: 4 }, provider: null };

let node;
let provider;
let api;
let alice;
let bob;
let charlie;

before(async () => {
  let at;
  ({ node, provider, api, at } = await connected({ rpc }));
  [alice, bob, charlie] = ['//Alice', '//Bob', '//Charlie'].map(at);
});

after(async () => {
  await api?.disconnect();
  await node?.stop();
});

// The codec of polkadot.js has no word for lists and null in JSON; `raw` gives what the node said.
const ask = (method, ...params) => api.rpc.tos[method].raw(...params);
const best = async () => (await api.rpc.chain.getBlockHash()).toHex();
const held = async (who) =>
  (await api.query.balances.holds(who.address)).map(({ id, amount }) => [id.inner.type, amount.toBigInt()]);

test('the beacon moves soon after the start and is not degraded any more, and the timekeeper counts', async () => {
  const moving = await untilBlock(api, async () => {
    const view = await ask('beacon');
    return !view.degraded && view;
  }, 'a beacon that moves', 40);
  assert.ok(moving.head > 0);
  assert.ok(moving.genesisMs > 0);
  const statistics = await ask('timekeeper');
  assert.equal(statistics.timekeeper, true);
  const later = await untilBlock(api, async () => {
    const now = await ask('timekeeper');
    return now.head > moving.head && now.evaluatedSlots > statistics.evaluatedSlots && now;
  }, 'a higher head and more slots', 20);
  assert.ok(later.known >= later.head && later.iterations > statistics.iterations);
  assert.equal(later.iterations % moving.config.params.iterationsPerSlot, 0);
  assert.ok(later.iterationsPerSecond > 0 && later.efficiency > 0 && later.cachedSlots > 0);
  assert.deepEqual([later.rejectedSlots, later.faultySlots], [0, 0]);
});

test('the methods of the beacon say what the runtime API says, by name', async () => {
  const at = await best();
  const { call } = await api.at(at);
  assert.deepEqual(await ask('beacon', at), (await call.beaconApi.beacon()).toJSON());
  assert.deepEqual(await ask('beaconRecords', 1, 5, at), (await call.beaconApi.beaconRecords(1, 5)).toJSON());
});

test('malformed and unknown input about beacon and storage is refused with a code', async () => {
  for (const [method, ...params] of [
    ['tos_beaconRecords', 'one'], ['tos_beaconRecords', -1], ['tos_beaconRecords'],
    ['tos_deal', 'no-uuid'], ['tos_replica', 7], ['tos_provider', 'nobody'], ['tos_continuity', '0x00'],
  ]) {
    await assert.rejects(provider.send(method, params), /-32602/, `${method} ${params}`);
  }
  for (const method of ['tos_beacon', 'tos_storageStats', 'tos_storageWindow']) {
    await assert.rejects(provider.send(method, [HASH]), /1004/, method);
  }
});

test('what is not in storage reads as null, and its continuity is refused with a reason', async () => {
  assert.equal(await ask('provider', charlie.address), null);
  assert.equal(await ask('deal', NOWHERE), null);
  assert.equal(await ask('replica', NOWHERE), null);
  assert.deepEqual(await ask('continuity', NOWHERE), { certified: null, refusal: 'unknown' });
  assert.equal((await api.call.storageApi.continuity(NOTHING)).asErr.type, 'Unknown');
  const stats = await ask('storageStats');
  for (const total of ['totalChains', 'providers', 'deals', 'replicas', 'sealedBytes', 'groups', 'audits', 'answered',
    'missed', 'failed']) {
    assert.equal(stats[total], 0, total);
  }
  assert.deepEqual([stats.slashed, stats.paid], ['0', '0']);
  assert.equal(stats.config.minBond, (1_000n * TOS).toString());
});

test('storage extrinsics that cannot be right are refused by name', async () => {
  const { storage, beacon } = api.tx;
  const offer = (content, coded, terms) =>
    storage.offer({ ...CONTENT, ...content }, { ...CODED, ...coded }, { ...TERMS, ...terms });
  // A version, a replica, a moment and half a seed: the header of an answer that nobody asked for.
  const unasked = u8aToHex(u8aConcat([1], new Uint8Array(200)));
  const refusals = [
    [storage.registerProvider(999n * TOS, HASH, LOCATOR), 'storage.BondTooSmall'],
    [storage.registerProvider(10_000_000n * TOS, HASH, LOCATOR), 'storage.InsufficientFunds'],
    [storage.registerProvider(1_000n * TOS, HASH, '0x'), 'storage.NoLocator'],
    [storage.topUp(TOS), 'storage.NotProvider'],
    [storage.exit(), 'storage.NotProvider'],
    [offer({ length: 0 }), 'storage.ContentLength'],
    [offer({ length: 2n ** 34n + 1n }), 'storage.ContentLength'],
    [offer({ locator: '0x' }), 'storage.ContentUnreachable'],
    [offer({}, { words: 64 }), 'storage.CodedSize'],
    [offer({}, {}, { retention: { BillingPeriods: 0 } }), 'storage.RetentionOutOfRange'],
    [offer({}, {}, { price: 0 }), 'storage.PriceOutOfRange'],
    [offer({}, {}, { price: 2n ** 127n }), 'storage.PriceOutOfRange'],
    [storage.cancelOffer(NOTHING), 'storage.UnknownDeal'],
    [storage.accept(NOTHING), 'storage.UnknownDeal'],
    [storage.commitSeal(NOTHING, CODED), 'storage.UnknownReplica'],
    [storage.settle(NOTHING), 'storage.UnknownReplica'],
    [storage.challengeSeal(NOTHING), 'storage.UnknownReplica'],
    [storage.challengeWindow(NOTHING, 0), 'storage.UnknownReplica'],
    [storage.respondAudit('0x00'), 'storage.BadProof'],
    [storage.respondAudit(unasked), 'storage.NothingAsked'],
    [storage.attest(2n ** 40n, 0, 1, 0), 'storage.WrongWindow'],
    [storage.setConfig(await api.query.storage.settings()), 'BadOrigin'],
    [beacon.setParams({ log2Lines: 14, passes: 1, iterationsPerSlot: 1_280 }), 'BadOrigin'],
    [beacon.advance([], []), 'BadOrigin'],
  ];
  const names = await outcomes(api, refusals.map(([call]) => call), charlie);
  assert.deepEqual(names, refusals.map(([, name]) => name));
  assert.deepEqual(await held(charlie), []);
});

test('answers without a sender that answer nothing never reach the pool', async () => {
  const { storage, beacon } = api.tx;
  const before = await api.query.storage.counters();
  const submit = (transaction) => provider.send('author_submitExtrinsic', [transaction]);
  const root = { root: HASH, signature: `0x${'22'.repeat(64)}` };
  const seal = { replica: NOTHING, opening: '0x00', signature: root.signature };
  const window = { replica: NOTHING, window: 0, previous: HASH, path: [], proof: '0x00', signature: root.signature };
  const unasked = u8aToHex(u8aConcat([1], new Uint8Array(200)));
  await assert.rejects(submit(authorised(storage.respondAudit('0x00'))), /1010: .*bad signature/);
  for (const answer of [
    storage.respondAudit(unasked), storage.respondSeal(seal), storage.respondWindow(window),
    storage.submitGroup(2n ** 40n, 0, root),
  ]) {
    await assert.rejects(submit(authorised(answer)), /1010: .*outdated/, answer.method.method);
  }
  // What needs a sender is let in for nobody's sake, and a bare call is no way around.
  await assert.rejects(submit(authorised(storage.crank(NOTHING))), /101[01]: /);
  await assert.rejects(submit(storage.respondAudit(unasked).toHex()), /101[01]: /);
  // Slots come with their block or not at all.
  await assert.rejects(submit(beacon.advance([], []).toHex()), /1010: .*mandatory/);
  const signed = await beacon.advance([], []).signAsync(charlie, { nonce: -1 });
  await assert.rejects(submit(signed.toHex()), /1010: .*mandatory/);

  assert.deepEqual(await provider.send('author_pendingExtrinsics', []), []);
  assert.deepEqual((await api.query.storage.counters()).toJSON(), before.toJSON());
});

test('a slot that the chain includes cannot be disputed without a right proof of another', async () => {
  const [record] = await ask('beaconRecords', 1, 1);
  const coarse = (end) => [...new Array(31).fill(`0x${'33'.repeat(64)}`), end];
  const dispute = (slot, end, fineRoot) => api.tx.beacon.disputeSlot(slot, { coarse: coarse(end), fineRoot });
  await Promise.all([
    [dispute(1_000_000, record.end, HASH), 'beacon.UnknownSlot', alice],
    [dispute(1, record.end, record.fineRoot), 'beacon.SameResult', bob],
    [dispute(1, record.end, HASH), 'beacon.WrongProof', charlie],
  ].map(([call, name, signer]) => assert.rejects(send(api, call, signer), { name })));
  assert.deepEqual(await ask('beaconRecords', 1, 1), [record]);
});

test('a deal and its replica read as plain JSON from the offer to the sealing', async () => {
  const { storage } = api.tx;
  const bond = 1_500n * TOS;
  const [offered] = await Promise.all([
    send(api, storage.offer(CONTENT, CODED, TERMS), alice),
    send(api, storage.registerProvider(bond, HASH, LOCATOR), bob),
  ]);
  const { deal, escrow } = find(offered, 'storage', 'Offered');
  // ⌈price · ⌈8 KiB / MiB⌉ · periods / 1024⌉.
  assert.equal(escrow.toBigInt(), (TOS * 4n) / 1_024n);
  assert.deepEqual(await held(alice), [['DealEscrow', escrow.toBigInt()]]);
  assert.deepEqual(await held(bob), [['ProviderBond', bond]]);

  const open = (await api.call.storageApi.deals(null, 10, true)).map((entry) => entry.id.toHex());
  assert.deepEqual(open, [deal.toHex()]);
  const id = deal.toHex().slice(2).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  assert.match(id, UUID);
  const collateral = (11n * TOS).toString();
  const { config } = await ask('storageStats');
  const written = {
    id, client: alice.address, content: CONTENT, coded: CODED, price: TOS.toString(), windows: 4 * config.billingWindows,
    provider: null, escrow: escrow.toString(), paid: '0', collateral,
  };
  assert.deepEqual(await ask('deal', id), { ...written, status: 'open', replica: null });
  const account = {
    bond: bond.toString(), proofKey: HASH, locator: LOCATOR, groups: [], answered: 0, missed: 0, latencyMs: null, score: null,
    exiting: false, leaveAt: null,
  };
  assert.deepEqual(await ask('provider', bob.address), { ...account, tied: '0', replicas: 0 });

  const names = await outcomes(api, [
    storage.registerProvider(bond, HASH, LOCATOR), storage.withdraw(501n * TOS), storage.withdraw(1_501n * TOS),
    storage.leave(), storage.cancelOffer(deal), storage.accept(deal), storage.accept(deal),
  ], bob);
  assert.deepEqual(names, [
    'storage.AlreadyProvider', 'storage.BondTooSmall', 'storage.InsufficientBond',
    'storage.NotExiting', 'storage.NotClient', null, 'storage.NotOpen',
  ]);
  const { replica, status } = await ask('deal', id);
  assert.match(replica, UUID);
  assert.equal(status, 'taken');
  assert.deepEqual(await ask('provider', bob.address), { ...account, tied: collateral, replicas: 1 });
  const { due, ...sealing } = await ask('replica', replica);
  assert.ok(due > 0);
  assert.deepEqual(sealing, {
    id: replica, deal: id, provider: bob.address, status: 'sealing', coded: CODED, sealed: null, position: null, collateral,
    streak: 0, earned: 0, misses: 0, firstWindow: null, endsAt: null,
  });
  assert.deepEqual(await ask('continuity', replica), { certified: null, refusal: 'notProving' });

  const bytes = `0x${replica.replaceAll('-', '')}`;
  const [own, foreign] = await Promise.all([
    outcomes(api, [
      storage.commitSeal(bytes, { root: HASH, words: 64 }), storage.pause(bytes), storage.resume(bytes),
      storage.requestRemoval(bytes), storage.challengeSeal(bytes), storage.crank(bytes),
    ], bob),
    outcomes(api, [storage.commitSeal(bytes, CODED), storage.pause(bytes), storage.settle(bytes)], charlie),
  ]);
  assert.deepEqual(own, [
    'storage.SealedSize', 'storage.NotActive', 'storage.NotPaused',
    'storage.NotActive', 'storage.NotChallengeable', 'storage.NotDue',
  ]);
  assert.deepEqual(foreign, ['storage.NotYours', 'storage.NotYours', 'storage.NotDue']);

  const at = await best();
  const said = await ask('storageStats', at);
  const { call } = await api.at(at);
  const stats = await call.storageApi.storageStats();
  for (const [total, value] of Object.entries({ providers: 1, deals: 1, replicas: 1, totalChains: 0, sealedBytes: 0 })) {
    assert.equal(said[total], value, total);
    assert.equal(stats[total].toNumber(), value, total);
  }
  for (const price of ['minBond', 'collateralBase', 'missBase', 'missCap', 'challengeBond', 'equivocation']) {
    assert.equal(said.config[price], stats.config[price].toString(), price);
  }
  assert.deepEqual(said.config.seal, stats.config.seal.toJSON());
});

test('windows of proofs follow one another, and each is folded into the history', async () => {
  const window = await untilBlock(api, async () => {
    const current = await ask('storageWindow');
    return current.folded !== null && current.stage === 'open' && current;
  }, 'a folded window');
  assert.equal(window.number, window.folded + 1);
  assert.deepEqual([window.due, window.degraded], [[], false]);
  assert.match(window.seed, /^0x[0-9a-f]{64}$/);
  assert.ok(window.ends >= window.now);
  const { call } = await api.at(await best());
  const [roots, history] = await Promise.all([call.storageApi.windowRoots(100), call.storageApi.windowHistory()]);
  const folded = roots.filter((root) => root.global.isSome);
  assert.equal(folded.length, history.windows.toNumber());
  assert.ok(folded.some((root) => root.window.toNumber() === window.folded));
});

test('the walk goes on slot by slot, takes entropy in, and never runs ahead of the wall clock', async () => {
  const { config } = await ask('beacon');
  const { windowSlots, injectWindows } = config;
  const iterations = config.params.iterationsPerSlot;
  const injected = injectWindows * windowSlots + 1;
  await untilBlock(api, async () => (await ask('beacon')).head >= injected, 'entropy in the walk');

  const at = await best();
  const height = (await api.rpc.chain.getHeader(at)).number.toNumber();
  const hashes = await Promise.all(Array.from({ length: height }, (_, i) => api.rpc.chain.getBlockHash(i + 1)));
  const blocks = await Promise.all(hashes.map(async (hash) => {
    const { query } = await api.at(hash);
    const [view, now] = await Promise.all([ask('beacon', hash.toHex()), query.timestamp.now()]);
    return { ...view, now: now.toNumber() };
  }));

  let last = 0;
  let announced = null;
  const first = blocks.find(({ head }) => head > 0);
  assert.equal(first.genesisMs, first.now - config.slotMs);
  for (const view of blocks) {
    const { head, end, nextStart, nextIteration, injections, genesisMs, degraded, lastProgress, now } = view;
    assert.ok(head >= last && head <= last + 8, `from ${last} to ${head} in a block`);
    last = head;
    // The block that ends a stall, as the first one with a slot does, still counts.
    assert.equal(degraded, head === 0 || view === first);
    assert.equal(nextIteration, head * iterations);
    if (head > 0) {
      assert.equal(genesisMs, first.genesisMs);
      assert.ok(head <= Math.floor((now - genesisMs) / config.slotMs) + 2, `${head} at ${now - genesisMs} ms`);
      assert.ok(lastProgress > 0);
    }
    // What goes in is known before the slot, and nothing but that is ever added to the walk.
    assert.ok(injections.every(({ slot }) => slot > head && (slot - 1) % (injectWindows * windowSlots) === 0));
    const next = injections.find(({ slot }) => slot === head + 1);
    const state = hexToU8a(end);
    const start = next ? blake3(u8aConcat(stringToU8a('inject'), state, hexToU8a(next.entropy)), { dkLen: 64 }) : state;
    assert.equal(nextStart, u8aToHex(start));
    announced ??= injections.find(({ slot }) => slot === injected)?.entropy;
  }

  // The records: every slot, linked by its iterations, with the output that everybody can compute.
  const records = await ask('beaconRecords', 0, 1_000, at);
  assert.equal(records.length, Math.min(last, 64));
  records.forEach(({ slot, end, output, firstIteration, block }, i) => {
    assert.equal(slot, i + 1);
    assert.equal(firstIteration, i * iterations);
    assert.equal(output, u8aToHex(blake3(u8aConcat(stringToU8a('posc/vdf/y'), bnToU8a(slot, { bitLength: 64 }), hexToU8a(end)))));
    assert.ok(blocks[block - 1].head >= slot && (block === 1 || blocks[block - 2].head < slot), `slot ${slot} in block ${block}`);
  });
  assert.equal(new Set(records.map(({ output }) => output)).size, records.length);
  assert.deepEqual((await ask('beaconRecords', last, 5, at)).map(({ slot, end }) => [slot, end]), [[last, blocks.at(-1).end]]);
  assert.deepEqual(await ask('beaconRecords', last + 1, 5, at), []);

  // The entropy is what the validators had contributed when the second last window before began.
  const source = records[(injectWindows - 2) * windowSlots].block;
  const { query } = await api.at(hashes[source - 1]);
  assert.equal((await query.beacon.accumulator()).toHex(), announced);
  assert.equal((await query.beacon.windowEntropy(injectWindows - 2)).unwrap()[1].toHex(), announced);

  const { query: firstState } = await api.at(hashes[records[0].block - 1]);
  const events = (await firstState.system.events()).map(({ event }) => event);
  assert.equal(find(events, 'beacon', 'Advanced').head.toNumber(), first.head);
  assert.equal(find(events, 'beacon', 'Resumed').head.toNumber(), first.head);
});

test('in every block so far, events belong to the extrinsic that caused them or to none', async () => {
  const { automatic, wrong } = await bookings(api);
  assert.deepEqual(wrong, []);
  assert.ok(automatic > 0, 'something happened by itself');
});
