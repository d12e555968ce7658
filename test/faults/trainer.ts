// A process that trains and writes checkpoints as the README does it, in the folder where it runs, and goes on from what is there.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const root = new URL("../../", import.meta.url);
const readme = readFileSync(new URL("README.md", root), "utf8");
const [, declaration, loop, load] =
  /^(const training = fit.*\n)([^`]*)\/\/ Later.*\nconst rest = fit.*\n(loadCheckpoint.*\n)```/m.exec(
    readme,
  )!;

export const EPOCHS = 30;

/** The file's name may be another one, as may the number of epochs. */
export function trainer({ epochs = EPOCHS, file = "run" } = {}): string {
  const named = (code: string) =>
    code.replaceAll('"run.', `"${file}.`).replace("epochs: 30", `epochs: ${epochs}`);
  return `
    import { readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
    import * as nablas from ${JSON.stringify(new URL("dist/index.js", root).href)};
    const { Adam, dataset, Dropout, fit, Linear, loadCheckpoint, manualSeed, mseLoss, saveCheckpoint, Sequential } = nablas;
    manualSeed(1);
    const model = new Sequential(new Linear(64, 512), new Dropout({ p: 0.2 }), new Linear(512, 64));
    const optimizer = new Adam(model.parameters());
    const data = dataset(nablas.randn([64, 64]), nablas.randn([64, 64]));
    const step = (x, y) => {
      const loss = mseLoss(model.forward(x), y);
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    };
    ${named(declaration!)}
    if (statSync("${file}.safetensors", { throwIfNoEntry: false })?.isFile()) { const rest = training; ${named(load!)} }
    console.log("trains");
    ${named(loop!)}
    console.log("done");`;
}

export const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Undefined if there is no checkpoint. */
export function hashIn(folder: string, file = "run.safetensors"): string | undefined {
  const path = join(folder, file);
  return existsSync(path) ? hashOf(readFileSync(path)) : undefined;
}
