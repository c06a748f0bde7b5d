// SPDX-License-Identifier: Apache-2.0
// A development node for a test and a connection to it.
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { devNode } from './node.mjs';

/** A node on `chain`, a connection to it, which knows the methods `rpc` besides the usual ones, and `at`, the key of a URI. */
export async function connected({ chain, rpc } = {}) {
  const node = await devNode(chain);
  try {
    const provider = new WsProvider(node.url);
    const api = await ApiPromise.create({ provider, rpc, noInitWarn: true });
    const keyring = new Keyring({ type: 'sr25519' });
    return { node, provider, api, at: (uri) => keyring.addFromUri(uri) };
  } catch (error) {
    await node.stop();
    throw error;
  }
}
