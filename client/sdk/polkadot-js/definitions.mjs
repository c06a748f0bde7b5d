// SPDX-License-Identifier: Apache-2.0
//
// The tos_* JSON-RPC methods for @polkadot/api:
//
//   import { ApiPromise, WsProvider } from '@polkadot/api';
//   import { rpc } from './definitions.mjs';
//   const api = await ApiPromise.create({ provider: new WsProvider(url), rpc });
//   const page = await api.rpc.tos.openTasks.raw('general', null, 20);
//
// Extrinsics, events, errors, storage and the runtime APIs `api.call.tosApi`, `api.call.beaconApi` and
// `api.call.storageApi` need nothing of this: their types come with the chain's metadata. Answers of these methods are
// plain JSON: amounts are decimal text in wei, identifiers UUIDs, hashes and states 0x-hex, accounts SS58. Call methods
// with `.raw`: the codec `Json` has no word for lists and null.
// Task types are codeAnalysis, securityAudit, dataAnalysis, algorithmOptimization, logicReasoning and general.

const id = { name: 'id', type: 'Text' };
const who = { name: 'who', type: 'AccountId' };
const at = { name: 'at', type: 'Option<Hash>', isOptional: true };
const after = { name: 'after', type: 'Option<Text>', isOptional: true };
const limit = { name: 'limit', type: 'Option<u32>', isOptional: true };

/** A method that reads the state of the block `at`, or of the best one. */
const method = (description, ...params) => ({ description, params: [...params, at], type: 'Json' });

/** Pass this as the `rpc` option of `ApiPromise.create`. */
export const rpc = {
  tos: {
    chain: method('Height, tick, windows and counts.'),
    parameters: method('What governance can change, as it is now.'),
    openTasks: method('Tasks that take answers, by type where one is given.',
      { name: 'taskType', type: 'Option<Text>', isOptional: true }, after, limit),
    tasks: method('All tasks that are not pruned yet.', after, limit),
    task: method('One task with its submissions; null when there is none.', id),
    taskByReference: method('The task that an account published under a reference; null when there is none.', who,
      { name: 'reference', type: 'H256' }),
    timeline: method('The phases a task went through.', id),
    round: method('One round of voting on a task.', id, { name: 'number', type: 'u32' }),
    canSubmit: method('Whether an account may join a task; if not, why, and when to ask again.', who, id),
    assignments: method('What an account should do now.', who),
    duties: method('The panels a validator sits on.', who),
    claimable: method('Rewards that wait to be claimed.', who),
    miner: method('A miner\'s registration.', who),
    validator: method('A validator\'s registration.', who),
    reputation: method('An account\'s reputation, idle decay applied.', who),
    beacon: method('The beacon after a block: its head, its epochs and the entropy to come.'),
    beaconRecords: method('Slots that the chain has included, from `from` upwards, 64 at most.',
      { name: 'from', type: 'u64' }, limit),
    timekeeper: {
      description: 'What this node has computed and verified since it started, and how fast.',
      params: [],
      type: 'Json',
    },
    storageStats: method('How much of everything there is in storage, and the scale of the network.'),
    storageWindow: method('The current window of storage proofs.'),
    provider: method('A storage provider; null when there is none.', who),
    deal: method('A storage deal; null when there is none.', id),
    replica: method('A replica; null when there is none.', id),
    continuity: method('How long a replica has been proven without a gap, or why that is not certified.', id),
    subscribeTasks: {
      description: 'Changes of all tasks, or of one: once when their block is best, once when it is final; from a height on, if one is given.',
      params: [{ name: 'id', type: 'Option<Text>', isOptional: true }, { name: 'from', type: 'Option<u32>', isOptional: true }],
      pubsub: ['taskChange', 'subscribeTasks', 'unsubscribeTasks'],
      type: 'Json',
    },
  },
};
