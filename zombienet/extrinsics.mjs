// SPDX-License-Identifier: Apache-2.0
// What the network scenarios sign, submit and read. Usage: extrinsics.mjs URL ACTION [ARGUMENT...]; prints JSON.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { conclude } from '../testing/e2e/polkadot-js/chain.mjs';

// The packages are those of the end-to-end tests.
const packages = join(dirname(fileURLToPath(import.meta.url)), '..', 'testing', 'e2e', 'polkadot-js', 'package.json');
const resolve = createRequire(packages).resolve;
const { ApiPromise, Keyring, WsProvider } = await import(pathToFileURL(resolve('@polkadot/api')));
const { u8aToHex } = await import(pathToFileURL(resolve('@polkadot/util')));

const [url, action, ...rest] = process.argv.slice(2);
const provider = new WsProvider(url);
const api = await ApiPromise.create({ provider, noInitWarn: true });
const keyring = new Keyring({ type: 'sr25519' });
const at = (uri) => keyring.addFromUri(uri);
const TOS = 10n ** 18n;

/**
 * Sends `tx` and resolves with its events once it is in a block. Immortal: a mortal transaction names a recent block, and is
 * refused, or worth nothing, on a fork without that block; validators make one now and then when the machine is busy.
 */
const send = (tx, signer) => new Promise((done, refuse) => {
  tx.signAndSend(signer, { nonce: -1, era: 0 }, ({ status, events, dispatchError }) => {
    // Where finality is as fast as blocks, a node may tell the second and not the first.
    if (!status.isInBlock && !status.isFinalized) return;
    if (dispatchError) refuse(new Error(dispatchError.isModule ? api.registry.findMetaError(dispatchError.asModule).name : `${dispatchError}`));
    else done(events);
  }).catch(refuse);
});

/** Resolves with the first truthy result of `probe`, asked every second. */
async function until(probe) {
  for (;;) {
    const found = await probe();
    if (found) return found;
    await new Promise((wake) => setTimeout(wake, 1_000));
  }
}

/** Hands a transaction in until the pool takes it: after a reorganisation it may not see what pays for it for a moment. */
async function insist(submit, attempts = 20) {
  for (;;) {
    try {
      return await submit();
    } catch (error) {
      if (error.code === 1013) return null; // It has it already.
      if ((attempts -= 1) <= 0) throw error;
      await new Promise((wake) => { setTimeout(wake, 500); });
    }
  }
}

const free = async (who) => (await api.query.system.account(who)).data.free.toBigInt();

const actions = {
  /** Sends so many TOS, and waits only until a block of this node has it. */
  async transfer(from, to, amount) {
    const value = BigInt(amount) * TOS;
    await send(api.tx.balances.transferKeepAlive(at(to).address, value), at(from));
    return { to: at(to).address, value: value.toString() };
  },

  /** What an account has in the last finalised block. */
  async balance(who) {
    const final = await api.at(await api.rpc.chain.getFinalizedHead());
    return { free: (await final.query.system.account(who)).data.free.toString() };
  },

  async stake(uri) {
    const ledger = await api.query.staking.ledger(at(uri).address);
    return { active: ledger.isSome ? ledger.unwrap().active.toString() : '0' };
  },

  /** Waits for the report of an offence. */
  async offence() {
    const kind = await until(async () => {
      const reports = await api.query.offences.concurrentReportsIndex.keys();
      return reports.length > 0 && reports[0].args[0].toUtf8();
    });
    return { kind };
  },

  /** Submits `count` transfers from an account of their own, and does not wait for them. */
  async spam(count, round) {
    const sender = at(`//Spam//${round}`);
    await send(api.tx.balances.transferKeepAlive(sender.address, 100n * TOS), at('//Eve'));
    for (let nonce = 0; nonce < Number(count); nonce += 1) {
      const transfer = await api.tx.balances.transferAllowDeath(at('//Ferdie').address, TOS).signAsync(sender, { nonce });
      await insist(() => transfer.send());
    }
    return { height: (await api.rpc.chain.getHeader()).number.toNumber() };
  },

  /** Bonds, proves that the session keys are the account's, and stands for election. */
  async validate(uri) {
    const who = at(uri);
    const bond = 10_000n * TOS;
    const most = (await api.query.staking.validatorCount()).toNumber();
    await send(api.tx.staking.bond(bond, 'Staked'), who);
    const { keys, proof } = await ownership(who);
    await send(api.tx.session.setKeys(keys, proof), who);
    await send(api.tx.staking.validate({ commission: 0, blocked: false }), who);
    await send(api.tx.sudo.sudo(api.tx.staking.setValidatorCount(most + 1)), at('//Alice'));
    return { who: who.address, bonded: bond.toString() };
  },

  async validators() {
    return { validators: (await api.query.session.validators()).map((who) => who.toString()) };
  },

  /** Waits for an era in which the account earned, and has somebody else pay it out. */
  async payout(uri, caller) {
    const who = at(uri).address;
    const era = await until(async () => {
      const current = (await api.query.staking.activeEra()).unwrap().index.toNumber();
      for (let number = Math.max(0, current - 3); number < current; number += 1) {
        const { individual } = await api.query.staking.erasRewardPoints(number);
        const points = [...individual.entries()].find(([account]) => account.toString() === who);
        if (points && points[1].toNumber() > 0) return { number };
      }
      return null;
    });
    const total = async () => (await free(who)) + BigInt((await api.query.staking.ledger(who)).unwrap().active.toString());
    const before = await total();
    await send(api.tx.staking.payoutStakers(who, era.number), at(caller));
    return { era: era.number, before: before.toString(), after: (await total()).toString() };
  },
};

/** Fresh session keys of this node with the proof that `who` owns them. */
const ownership = (who) => provider.send('author_rotateKeysWithOwner', [u8aToHex(who.publicKey)]);

await conclude(api, () => actions[action](...rest));
