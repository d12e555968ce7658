// How long an import and a first result take in a fresh process, beyond what an empty one takes. Medians of 15, in turns.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const RUNS = 15;
const library = new URL("../dist/index.js", import.meta.url).href;
const programs = {
  empty: "",
  "first softmax": `
    import { softmax, tensor } from "${library}";
    softmax(tensor([[1, 2, 3]])).toArray();`,
  "first training step": `
    import { crossEntropyLoss, Linear, ReLU, Sequential, SGD, tensor } from "${library}";
    const model = new Sequential(new Linear(4, 8), new ReLU(), new Linear(8, 3));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    crossEntropyLoss(model.forward(tensor([[1, 2, 3, 4]])), [1]).backward();
    optimizer.step();`,
};

const folder = mkdtempSync(join(tmpdir(), "nablas-coldstart-"));
const names = Object.keys(programs) as (keyof typeof programs)[];
const times = new Map(names.map((name) => [name, [] as number[]]));
for (const name of names) writeFileSync(join(folder, `${name}.mjs`), programs[name]);
for (let run = 0; run < RUNS; run++) {
  for (const name of names) {
    const start = performance.now();
    const { status } = spawnSync(process.execPath, [join(folder, `${name}.mjs`)]);
    times.get(name)!.push(performance.now() - start);
    if (status !== 0) throw new Error(`${name}: status ${status}`);
  }
}
rmSync(folder, { recursive: true });

const median = (name: keyof typeof programs): number => times.get(name)!.sort((a, b) => a - b)[RUNS >> 1]!;
for (const name of names.slice(1)) console.log(`${name}: ${(median(name) - median("empty")).toFixed(1)} ms`);
console.log(`an empty process: ${median("empty").toFixed(1)} ms`);
