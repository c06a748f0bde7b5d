// SPDX-License-Identifier: Apache-2.0
// Which events are booked to which transactions, over every block of a chain.

/** What happens by itself, and the calls by which somebody can take such a step early or by hand. */
const AUTOMATIC = {
  'tasks.RoundTallied': ['tasks.crank'],
  'tasks.AnswerJudged': ['tasks.crank'],
  'tasks.DuplicateFound': ['tasks.crank'],
  'tasks.Pruned': ['tasks.crank'],
  'tasks.StepFailed': ['tasks.crank'],
  'rewards.Settled': ['tasks.crank'],
  'rewards.RewardBooked': ['tasks.crank'],
  'storage.AuditOpened': [],
  'storage.ChallengeOpened': ['storage.crank', 'storage.challengeWindow'],
  'storage.GroupMissed': [],
  'storage.WindowBegan': [],
  'storage.WindowOpened': [],
  'storage.WindowFolded': [],
  'session.NewSession': [],
  'scheduler.Dispatched': [],
};

/** The names of a call and of all calls inside it. */
function namesOf(call) {
  const inner = call.args.flatMap((arg) => (Array.isArray(arg) ? [...arg] : [arg])).filter((arg) => arg?.section && arg.args);
  return [`${call.section}.${call.method}`, ...inner.flatMap(namesOf)];
}

/**
 * Reads the events of every block up to the best one. Returns the blocks read, the automatic events among them, and what is
 * booked wrongly: to an extrinsic that does not exist, or to a call that cannot cause it.
 */
export async function bookings(api) {
  const best = (await api.rpc.chain.getHeader()).number.toNumber();
  const wrong = [];
  let automatic = 0;
  for (let number = 1; number <= best; number += 1) {
    const hash = await api.rpc.chain.getBlockHash(number);
    const [{ block: { extrinsics } }, at] = await Promise.all([api.rpc.chain.getBlock(hash), api.at(hash)]);
    for (const { phase, event } of await at.query.system.events()) {
      const name = `${event.section}.${event.method}`;
      if (name in AUTOMATIC) automatic += 1;
      if (!phase.isApplyExtrinsic) continue;
      const index = phase.asApplyExtrinsic.toNumber();
      if (index >= extrinsics.length) {
        wrong.push(`block ${number}: ${name} names extrinsic ${index} of ${extrinsics.length}`);
        continue;
      }
      const calls = namesOf(extrinsics[index].method);
      if (name in AUTOMATIC && !AUTOMATIC[name].some((cause) => calls.includes(cause))) {
        wrong.push(`block ${number}: ${name} is booked to ${calls[0]}, extrinsic ${index}`);
      }
    }
  }
  return { blocks: best, automatic, wrong };
}
