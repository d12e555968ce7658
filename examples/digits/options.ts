import { parseArgs } from "node:util";
import { InputError } from "./input-error";

export const HELP = `Trains a network to read handwritten digits, or to tell the classes of a table,
in WebAssembly and in plain JavaScript.

npm start -- [options]

  --data FILE   a CSV file, plain or gzipped, either of digits as UCI publishes them: 64 pixels from 0 to 16,
                then the label; or of a table: "rows,features,class names…" in the first line, then in each
                line the features and the number of the class. Without it a generator draws digits
  --epochs N    how often to go through the training rows (30)
  --seed N      seed of the weights, the batches, the generator, and what a table leaves out to test (0)
  --seeds N     train with N seeds, from --seed on, and report the mean accuracy (1)
  --help        this text`;

export interface Options {
  data: string | undefined;
  epochs: number;
  seed: number;
  seeds: number;
  help: boolean;
}

export function readOptions(args: string[]): Options {
  const { data, epochs, seed, seeds, help } = parse(args);
  if (data === "") throw new InputError("--data needs the name of a file");
  return {
    data,
    epochs: integer("--epochs", epochs, 1, 10_000),
    seed: integer("--seed", seed, 0, 2 ** 31 - 1),
    seeds: integer("--seeds", seeds, 1, 1000),
    help,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        data: { type: "string" },
        epochs: { type: "string", default: "30" },
        seed: { type: "string", default: "0" },
        seeds: { type: "string", default: "1" },
        help: { type: "boolean", default: false },
      },
    }).values;
  } catch (error) {
    // Node's advice may stand on lines of its own, or be about positional arguments: there are none.
    const reason = (error as Error).message.replaceAll("\n", " ").replace(/\. To specify a positional.*/, "");
    throw new InputError(`${reason}; --help lists the options`);
  }
}

function integer(name: string, text: string, min: number, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InputError(`${name} must be a whole number from ${min} to ${max}, got "${text}"`);
}
