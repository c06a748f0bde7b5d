// SPDX-License-Identifier: Apache-2.0
// Loads a development node with signed transactions: node load.mjs URL SECONDS
//
// Six accounts send transfers and publish tasks as fast as the node takes them, a bounded number
// ahead of what is in blocks. Prints one line of JSON: what was sent and what came into blocks.
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { inline, TOS } from './chain.mjs';

const [url, seconds] = [process.argv[2], Number(process.argv[3])];
if (!url || !(seconds > 0)) {
  console.error('usage: node load.mjs URL SECONDS');
  process.exit(2);
}

/** Transactions of one account that may wait for a block. */
const AHEAD = 250;
/** One transaction in so many publishes a task; the others are transfers. */
const PUBLISH_EVERY = 10;

const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true });
const keyring = new Keyring({ type: 'sr25519' });
const senders = ['//Alice', '//Bob', '//Charlie', '//Dave', '//Eve', '//Ferdie'].map((uri) => keyring.addFromUri(uri));

const counts = { sent: 0, refused: 0, blocks: 0, transfers: 0, tasks: 0, failed: 0, fullest: 0 };
const until = Date.now() + seconds * 1000;
const first = (await api.rpc.chain.getHeader()).number.toNumber();

async function load(sender, to) {
  let nonce = (await api.rpc.system.accountNextIndex(sender.address)).toNumber();
  let included = nonce;
  for (let round = 0; Date.now() < until; round += 1) {
    if (nonce - included >= AHEAD) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      included = (await api.query.system.account(sender.address)).nonce.toNumber();
      continue;
    }
    const batch = Array.from({ length: 25 }, (_, i) => {
      const number = nonce + i;
      const tx = number % PUBLISH_EVERY === 0
        ? api.tx.tasks.publish({ General: { subject: 'load' } }, 'Beginner',
          inline(`{"kind":"text","title":"Load ${sender.address} ${number}","data":{}}`), 5n * TOS, 40, 50, 8, null)
        : api.tx.balances.transferKeepAlive(to.address, TOS / 1000n);
      return tx.signAsync(sender, { nonce: number, era: 0 });
    });
    const results = await Promise.allSettled((await Promise.all(batch)).map((tx) => api.rpc.author.submitExtrinsic(tx)));
    counts.sent += results.length;
    counts.refused += results.filter((result) => result.status === 'rejected').length;
    nonce = (await api.rpc.system.accountNextIndex(sender.address)).toNumber();
  }
}

await Promise.all(senders.map((sender, i) => load(sender, senders[(i + 1) % senders.length])));

const last = (await api.rpc.chain.getHeader()).number.toNumber();
for (let number = first + 1; number <= last; number += 1) {
  const hash = await api.rpc.chain.getBlockHash(number);
  const at = await api.at(hash);
  const events = await at.query.system.events();
  const named = (section, method) => events.filter(({ event }) => event.section === section && event.method === method).length;
  const paid = named('transactionPayment', 'TransactionFeePaid');
  counts.blocks += 1;
  counts.tasks += named('tasks', 'Published');
  counts.failed += named('system', 'ExtrinsicFailed');
  counts.fullest = Math.max(counts.fullest, paid);
  counts.transfers += paid;
}
counts.transfers -= counts.tasks;
console.log(JSON.stringify(counts));
await api.disconnect();
