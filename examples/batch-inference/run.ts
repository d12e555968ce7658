import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { opendir, realpath, stat } from "node:fs/promises";
import { join } from "node:path";
import { Piscina } from "piscina";
import { InputError } from "../digits/input-error";
import { openSession } from "./engine";
import { type Entry, Ledger } from "./ledger";
import type { Options } from "./options";

/** Told to whoever watches. */
export interface Watcher {
  /** So many files are there. */
  begin(files: number): void;
  /** A file is done; or was, in an earlier run. */
  done(rows: number, earlier: boolean): void;
  failed(file: string, error: Error): void;
  end(): void;
}

/** How many files each thread has been given beyond the one it works on. */
const AHEAD = 1;

/**
 * Runs the model over all files that the ledger does not have.
 * @throws InputError for folders, a model or a ledger that cannot be used
 */
export async function run(options: Options, watcher: Watcher): Promise<void> {
  await check(options);
  const model = createHash("sha256").update(readFileSync(options.model)).digest("hex");
  const heading = { model, batch: options.batch, engine: options.engine };
  const ledger = new Ledger(join(options.output, "ledger.ndjson"), heading);
  const pool = new Piscina({
    filename: new URL("worker.ts", import.meta.url).href,
    workerData: options,
    minThreads: options.workers,
    maxThreads: options.workers,
  });
  let files = 0;
  for await (const _ of inputs(options)) files++;
  watcher.begin(files);
  const waiting = inputs(options);
  // A lane takes the next name when it has done with the last: so many files are on their way, and no more.
  const lane = async () => {
    for await (const file of waiting) {
      const entry = await infer(file, options, ledger, pool).catch((error: Error) => error);
      if (entry instanceof Error) watcher.failed(file, entry);
      else {
        const earlier = ledger.has(entry);
        if (!earlier) ledger.add(entry);
        watcher.done(entry.rows, earlier);
      }
    }
  };
  await Promise.all(Array.from({ length: options.workers * (1 + AHEAD) }, lane));
  await pool.destroy();
  ledger.close();
  watcher.end();
}

/** What the ledger has of a file, or what there is to add to it. */
async function infer(file: string, options: Options, ledger: Ledger, pool: Piscina): Promise<Entry> {
  const { size, mtimeMs } = await stat(join(options.input, file));
  const stamp = `${size} ${mtimeMs}`;
  const known = ledger.get(file);
  if (known?.stamp === stamp && existsSync(join(options.output, file))) return known;
  return { file, rows: await pool.run(file), stamp };
}

/** @throws InputError for folders or a model that would fail every file */
async function check({ input, output, model, engine }: Options): Promise<void> {
  for (const path of [input, model])
    if (!existsSync(path)) throw new InputError(`${path}: no such file or folder`);
  mkdirSync(output, { recursive: true });
  if ((await realpath(input)) === (await realpath(output)))
    throw new InputError(`${output}: the results would overwrite the inputs; take another output folder`);
  try {
    await (await openSession({ engine, model })).session.release();
  } catch (error) {
    throw new InputError(`${engine} cannot open ${model}: ${(error as Error).message}`);
  }
}

async function* inputs({ input }: Options): AsyncGenerator<string> {
  for await (const entry of await opendir(input)) if (entry.name.endsWith(".npy")) yield entry.name;
}
