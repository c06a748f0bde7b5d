// SPDX-License-Identifier: Apache-2.0
// Starts and stops a development node for a test, by process id and in a folder of its own.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';

const target = process.env.CARGO_TARGET_DIR ?? join(homedir(), '.cache', 'tos-target');
export const BINARY = process.env.TOS_NODE ?? join(target, 'release', 'tos-node');
export const CLIENT = process.env.TOS_CLIENT ?? join(target, 'release', 'tos');

/** A TCP port that was free a moment ago. */
export function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

/** Runs `tos-node` on `chain` until `stop` is called. `kill` ends it like a power cut; `start` resumes on the same database. */
export async function devNode(chain = 'dev-fast') {
  const dir = await mkdtemp(join(tmpdir(), 'tos-e2e-'));
  const [rpc, p2p, metrics] = [await freePort(), await freePort(), await freePort()];
  const log = join(dir, 'node.log');
  let child;
  let exited;

  async function start() {
    const out = await open(log, 'a');
    child = spawn(
      BINARY,
      ['--chain', chain, '--alice', '--validator', '--force-authoring', '--base-path', dir, '--rpc-port', String(rpc),
        '--port', String(p2p), '--prometheus-port', String(metrics), '--no-telemetry', '--no-mdns', '--rpc-methods', 'unsafe',
        '--unsafe-force-node-key-generation', '--state-pruning', 'archive'],
      { stdio: ['ignore', out.fd, out.fd] },
    );
    exited = new Promise((resolve) => child.once('exit', resolve));
    await out.close();
    await ready(rpc, child, log);
  }
  async function end(signal) {
    if (child.exitCode === null && child.signalCode === null) child.kill(signal);
    await exited;
  }

  await start();
  return {
    url: `ws://127.0.0.1:${rpc}`,
    http: `http://127.0.0.1:${rpc}`,
    log,
    start,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGTERM');
      await rm(dir, { recursive: true, force: true });
    },
  };
}

async function ready(port, child, log) {
  for (let attempt = 0; attempt < 240; attempt += 1) {
    if (child.exitCode !== null) break;
    try {
      const answer = await fetch(`http://127.0.0.1:${port}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'system_health', params: [] }),
      });
      if (answer.ok) return;
    } catch {
      // Not listening yet.
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`the node did not start; its log ends:\n${(await readFile(log, 'utf8')).slice(-4000)}`);
}
