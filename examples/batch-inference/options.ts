import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { InputError } from "../digits/input-error";

export const HELP = `Runs an ONNX model over every .npy file of a folder, in several worker threads.

npm run batch -- --model FILE --input DIR --output DIR [options]

  --model FILE    an ONNX file with one input, whose first dimension is the batch
  --input DIR     .npy files of shape [rows, …], each small enough to be in memory several times
  --output DIR    for each of them a .npy file of the same name with the model's first output, and the ledger
  --workers N     threads (one for each processor)
  --batch N       rows in one call of the model (256)
  --engine NAME   onnxruntime-web or, where it is installed, onnxruntime-node (onnxruntime-web)
  --help          this text

Started again with the same folders it goes on where it was, however it ended. One process to an output folder.`;

export interface Options {
  model: string;
  input: string;
  output: string;
  workers: number;
  batch: number;
  engine: string;
}

/** The options; "help" if that was asked for. */
export function readOptions(args: string[]): Options | "help" {
  const { help, model, input, output, workers, batch, engine } = parse(args);
  if (help) return "help";
  return {
    model: given("--model", model),
    input: given("--input", input),
    output: given("--output", output),
    workers: integer("--workers", workers, 256),
    batch: integer("--batch", batch, 2 ** 20),
    engine,
  };
}

function parse(args: string[]) {
  const string = { type: "string" } as const;
  const options = {
    ...{ model: string, input: string, output: string },
    workers: { ...string, default: String(availableParallelism()) },
    batch: { ...string, default: "256" },
    engine: { ...string, default: "onnxruntime-web" },
    help: { type: "boolean", default: false },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new InputError(`${(error as Error).message.split(/[\n.]/)[0]}; --help lists the options`);
  }
}

function given(name: string, value: string | undefined): string {
  if (value === undefined || value === "")
    throw new InputError(`${name} is missing; --help lists the options`);
  return value;
}

function integer(name: string, text: string, max: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 1 && value <= max) return value;
  throw new InputError(`${name} must be a whole number from 1 to ${max}, got "${text}"`);
}
