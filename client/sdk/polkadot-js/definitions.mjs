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
