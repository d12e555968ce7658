// Every reader and files that lie: right, or refused as documented; without memory left behind, and with nothing changed. A
// long search, which has the machine for itself, looks how soon, too.
import { afterAll, describe, expect, test } from "vitest";
import { memory } from "../../src/index";
import { mutants } from "./mutate";
import { readers, removeFolder } from "./readers";

/** Mutants for each reader: NABLAS_FUZZ=200000 npx vitest run test/fuzz takes some minutes. */
const { NABLAS_FUZZ } = process.env;
const COUNT = Number(NABLAS_FUZZ ?? 3_000);
const SEED = Number(process.env.NABLAS_FUZZ_SEED ?? 1);
/** Milliseconds for a file, in a long search. */
const SOON = NABLAS_FUZZ === undefined ? Infinity : 200;

afterAll(removeFolder);

const polluted = () => Reflect.ownKeys(Object.prototype).length + Reflect.ownKeys(Array.prototype).length;

describe.each(readers)("$name", ({ files, changes, read, throws }) => {
  test.each(files.map((file, i) => [i, file] as const))("reads file %i as it is", async (_, file) => {
    await read(file);
  });

  test(`${COUNT} mutants`, { timeout: 900_000 + COUNT * 10 }, async () => {
    const [before, prototypes] = [memory(), polluted()];
    let [good, refused, at] = [0, 0, 0];
    for (const bytes of mutants(files, COUNT, changes, SEED)) {
      const copy = Uint8Array.from(bytes);
      const where = () => `mutant ${at}: ${Buffer.from(copy).toString("latin1").slice(0, 2000)}`;
      const attempt = async () => {
        const start = performance.now();
        try {
          await read(bytes);
          good++;
        } catch (error) {
          if (!(error instanceof throws)) throw new Error(where(), { cause: error });
          refused++;
        }
        return performance.now() - start;
      };
      let time = await attempt();
      // On a busy machine a process may have to wait.
      for (let i = 0; i < 3 && time > SOON; i++) time = Math.min(time, await attempt());
      expect(time, where()).toBeLessThanOrEqual(SOON);
      const { bytes: held, tensors } = memory();
      // Garbage of others may go meanwhile.
      if (held > before.bytes || tensors > before.tensors) expect(memory(), where()).toEqual(before);
      if (!Buffer.from(bytes).equals(copy)) expect.unreachable(`the file was written to; ${where()}`);
      at++;
    }
    expect(polluted()).toBe(prototypes);
    if (NABLAS_FUZZ) console.log({ good, refused });
    expect(refused).toBeGreaterThan(COUNT / 5);
    expect(good).toBeGreaterThan(COUNT / 200);
  });
});
