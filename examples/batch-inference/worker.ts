// One of the threads: reads a file, runs the model over its rows, and writes the results.
import { open, readFile, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { loadNpy, saveNpy } from "nablas/numpy";
import type { InferenceSession } from "onnxruntime-common";
import { workerData } from "piscina";
import { type Engine, openSession } from "./engine";
import type { Options } from "./options";

const options = workerData as Options;
const opened = openSession(options);

/** Writes the results of a file; returns the number of its rows. */
export default async function infer(file: string): Promise<number> {
  const { data, shape } = loadNpy(await readFile(join(options.input, file)));
  const [rows = 0, ...rest] = shape;
  if (rows === 0) throw new Error("no rows");
  const width = data.length / rows;
  const { engine, session } = await opened;
  const parts: Float32Array[] = [];
  let outputShape: readonly number[] = [];
  for (let start = 0; start < rows; start += options.batch) {
    const end = Math.min(start + options.batch, rows);
    const x = Float32Array.from(data.slice(start * width, end * width));
    const y = await runModel(engine, session, x, [end - start, ...rest]);
    parts.push(y.data);
    outputShape = [rows, ...y.dims.slice(1)];
  }
  const results = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    results.set(part, at);
    at += part.length;
  }
  await writeWhole(join(options.output, file), saveNpy({ data: results, shape: outputShape }));
  return rows;
}

async function runModel(engine: Engine, session: InferenceSession, x: Float32Array, shape: number[]) {
  const { [session.outputNames[0]!]: y } = await session.run({
    [session.inputNames[0]!]: new engine.Tensor("float32", x, shape),
  });
  if (!(y?.data instanceof Float32Array) || y.dims[0] !== shape[0]) {
    throw new Error(
      `expected float32 of shape [${shape[0]}, …] from the model, got ${y?.type} [${y?.dims.join(", ")}]`,
    );
  }
  return { data: y.data, dims: y.dims };
}

/** The file is there whole or not at all, whenever the process, or the machine, ends. */
async function writeWhole(path: string, bytes: Uint8Array): Promise<void> {
  const partial = `${path}.partial`;
  await writeFile(partial, bytes, { flush: true });
  await rename(partial, path);
  // The name, too, has to be on disk before the ledger says so. Windows opens no folders, and needs it not.
  if (process.platform === "win32") return;
  const folder = await open(dirname(path));
  await folder.sync();
  await folder.close();
}
