// One of the processes. Each learns from its own rows for a round, tells the others its weights, and goes on from the mean.
import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { averageState, loadSafetensors, saveSafetensors, scope } from "nablas";
import { type Contribution, Exchange } from "./exchange";
import { Learner, makeData, shareOf } from "./learner";
import { type Options, readOptions } from "./options";

const { server, run, worker, workers, patience, ...options } = readOptions(process.argv.slice(2)) as Options;
const { train, test } = makeData(options.count, options.seed);
const data = shareOf(train, options.divide, worker, workers);
const learner = new Learner(options.seed);
const exchange = await Exchange.open(server!, run, worker, workers, patience);

function contribute(round: number): Contribution {
  const rows = data.size;
  const metadata = { round: String(round), rows: String(rows) };
  return { worker, round, rows, file: saveSafetensors(learner.model.stateDict(), metadata) };
}

/** All workers sum in the same order, and so come to the same bits. */
function takeMean(contributions: readonly Contribution[]): void {
  const sorted = contributions.toSorted((a, b) => a.worker - b.worker);
  scope(() => {
    const states = sorted.map(({ file }) => loadSafetensors(file).tensors);
    const mean = averageState(states, { weights: sorted.map(({ rows }) => rows) });
    learner.model.loadStateDict(mean);
  });
}

let round = exchange.newestRound;
if (round > 0) {
  takeMean(exchange.newest);
  console.error(`worker ${worker}: takes over the weights of round ${round}`);
}
await exchange.put(contribute(round));
await exchange.others(round);
while (round < options.rounds) {
  const rest = sleep(options.pace);
  round++;
  await learner.learn(data, round);
  // Who is behind contributes to the round that the others have come to.
  round = Math.max(round, exchange.newestRound);
  const own = contribute(round);
  await exchange.put(own);
  const others = await exchange.others(round);
  takeMean([own, ...others]);
  const weights = createHash("sha256")
    .update(saveSafetensors(learner.model.stateDict()))
    .digest("hex")
    .slice(0, 8);
  console.log(
    JSON.stringify({ worker, round, others: others.length, weights, accuracy: learner.test(test) }),
  );
  await rest;
}
await exchange.close();
