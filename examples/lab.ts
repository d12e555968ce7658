/**
 * The experiments of the field's introductions: `npm run lab` runs them, prints the figures, and writes docs/lab.md with
 * its charts; `npm run lab -- neuron` runs those whose names contain the word, and writes nothing.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { init, scope } from "nablas";
import { chapter, describe } from "./lab/chapter";
import { experiments } from "./lab/index";

const SEED = 0;
const [filter = ""] = process.argv.slice(2);
const docs = new URL("../docs/", import.meta.url);

// The same figures on every machine.
await init({ deterministic: true });

const done = experiments
  .filter(({ name }) => name.includes(filter))
  .map((experiment) => {
    const start = performance.now();
    const outcome = scope(() => experiment.run({ seed: SEED }));
    const seconds = (performance.now() - start) / 1000;
    console.log(`${describe(experiment, outcome)}\n(${seconds.toFixed(1)} s)\n`);
    return { experiment, outcome };
  });

if (filter === "") {
  mkdirSync(new URL("lab/", docs), { recursive: true });
  for (const { experiment, outcome } of done) {
    writeFileSync(new URL(`lab/${experiment.name}.svg`, docs), outcome.chart());
  }
  writeFileSync(new URL("lab.md", docs), chapter(done));
}
