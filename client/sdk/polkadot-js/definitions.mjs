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

const required = (name, type) => ({ name, type });
const optional = (name, type) => ({ name, type: `Option<${type}>`, isOptional: true });
const at = optional('at', 'Hash');

/** A method that reads the state of the block `at`, or of the best one. */
const read = (description, ...params) => ({ description, params: [...params, at], type: 'Json' });

/** Pass this as the `rpc` option of `ApiPromise.create`. */
export const rpc = {
  tos: {
    // By the table of primitives/runtime-api/src/reads.rs: UPDATE_DOCS=1 cargo nextest run --release --workspace -E 'binary(reads)'
    // generated: reads
    openTasks: read('A page of tasks that take answers.',
      optional('taskType', 'Text'), optional('after', 'Text'), optional('limit', 'u32')),
    tasks: read('A page of all tasks not pruned yet.', optional('after', 'Text'), optional('limit', 'u32')),
    task: read('The task with its submissions, or null.', required('id', 'Text')),
    timeline: read('The phases a task went through, with tick and block.', required('id', 'Text')),
    round: read('One panel of a task and its revealed votes, or null.',
      required('id', 'Text'), required('number', 'u32')),
    canSubmit: read('Permission of an account to join a task: `{allowed}`, or `{allowed: false, reason, retryAt}`.',
      required('who', 'AccountId'), required('id', 'Text')),
    assignments: read('What an account should do now, by deadline.', required('who', 'AccountId')),
    duties: read('The panels a judge sits on.', required('who', 'AccountId')),
    claimable: read('Rewards that wait to be claimed.', required('who', 'AccountId')),
    miner: read('The registration of a miner, or null.', required('who', 'AccountId')),
    judge: read('The registration of a judge, or null.', required('who', 'AccountId')),
    reputation: read('An account\'s reputation, global and per type, decay applied.', required('who', 'AccountId')),
    chain: read('Heights, tick, day, phase lengths, counts.'),
    parameters: read('What governance can change, as it is now.'),
    taskByReference: read('The id of the publisher\'s task that carries this reference (32 bytes, `0x…`), or null when there is none or it is pruned.',
      required('publisher', 'AccountId'), required('reference', 'H256')),
    beacon: read('The beacon\'s head, epochs and entropy to come.'),
    beaconRecords: read('Slots that the chain has included, from `from` upwards; 64 at most, and without a limit.',
      required('from', 'u64'), optional('limit', 'u32')),
    provider: read('A storage provider, or null.', required('who', 'AccountId')),
    deal: read('A storage deal, or null.', required('id', 'Text')),
    replica: read('A replica, or null.', required('id', 'Text')),
    storageWindow: read('The current window of proofs.'),
    storageStats: read('Totals of storage, and its configuration.'),
    continuity: read('How long a replica has been proven without a gap: `{certified}`, or `{refusal}` and why.',
      required('id', 'Text')),
    // end of generated
    // By hand: what is more than a read.
    timekeeper: {
      description: 'What this node has computed and verified since it started, and how fast.',
      params: [],
      type: 'Json',
    },
    subscribeTasks: {
      description: 'Changes of all tasks, or of one: once when their block is best, once when it is final; from a height on, if one is given.',
      params: [optional('id', 'Text'), optional('from', 'u32')],
      pubsub: ['taskChange', 'subscribeTasks', 'unsubscribeTasks'],
      type: 'Json',
    },
  },
};
