// A process that measures some rows of some libraries in turns and prints what it finds; index.ts starts it.
import type { Adapter, Side } from "./adapters/adapter";
import { interleave } from "./measure";
import type { Library, Message, Order } from "./protocol";
import { type Row, rows } from "./rows";

/** A right answer is off by no more than this part of its largest number. */
const TOLERANCE = 1e-5;

const adapters: Record<Library, () => Promise<{ adapter: Adapter }>> = {
  nablas: () => import("./adapters/nablas"),
  "@tensorflow/tfjs": () => import("./adapters/tfjs"),
  "onnxruntime-web": () => import("./adapters/onnxruntime-web"),
  "@jax-js/jax": () => import("./adapters/jax-js"),
  "numpy-ts": () => import("./adapters/numpy-ts"),
  "brain.js": () => import("./adapters/brain"),
  "plain JavaScript": () => import("./adapters/plain"),
};

const print = (message: Message) => console.log(JSON.stringify(message));

async function main(order: Order): Promise<void> {
  const loaded: [Library, Adapter][] = [];
  for (const library of order.libraries) {
    const { adapter } = await adapters[library]();
    print({ library, about: adapter.about });
    loaded.push([library, adapter]);
  }
  for (const row of rows.filter(({ name }) => order.rows.includes(name))) {
    const sides = await prepare(row, loaded);
    const samples = await interleave([...sides.values()], order.effort);
    [...sides].forEach(([library, { answer, dispose }], i) => {
      print({ library, row: row.name, samples: samples[i]!, unlike: answer === undefined });
      dispose?.();
    });
  }
}

/** The sides that give the right answer. */
async function prepare(row: Row, loaded: [Library, Adapter][]): Promise<Map<Library, Side>> {
  const sides = new Map<Library, Side>();
  const expected = row.answer();
  for (const [library, adapter] of loaded) {
    try {
      const side = await adapter.prepare(row);
      if (side === undefined) continue;
      if (side.answer !== undefined) compare(await side.answer(), expected);
      sides.set(library, side);
    } catch (error) {
      print({ library, row: row.name, wrong: (error as Error).message });
    }
  }
  return sides;
}

/** @throws Error if the answer is not the expected one */
function compare(actual: ArrayLike<number>, expected: Float32Array): void {
  if (actual.length !== expected.length) throw new Error(`${actual.length} numbers, not ${expected.length}`);
  const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
  let error = 0;
  for (let i = 0; i < expected.length; i++) {
    const difference = Math.abs(actual[i]! - expected[i]!);
    if (!(difference <= error)) error = difference;
  }
  if (!(error <= TOLERANCE * largest))
    throw new Error(`off by ${error}, where the largest number is ${largest}`);
}

// Some libraries leave timers or workers behind, and print their source with an uncaught error.
main(JSON.parse(process.argv[2]!) as Order).then(
  () => process.exit(),
  (error: Error) => {
    console.error(error.message);
    process.exit(1);
  },
);
