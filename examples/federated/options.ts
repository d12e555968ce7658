import { parseArgs } from "node:util";
import { InputError } from "../digits/input-error";
import type { Division } from "./learner";

export const HELP = `Trains one network in several processes that only exchange its weights, over NATS.

npm run federated -- [options]

  --workers N     processes (2)
  --rounds N      how often each goes through its rows, and averages (100)
  --count N       digits to draw, of which four fifths are to train on (1797)
  --divide HOW    even, or digits: each worker sees only some of the digits (even)
  --seed N        of digits, weights and batches (0)
  --kill          kill a worker with SIGKILL on the way, and start it again later
  --pace MS       least time of a round (0; with --kill 150)
  --patience MS   how long to wait for a worker that says nothing (10000; with --kill 2000)
  --server URL    a NATS server with JetStream; without it, one is started for the time
  --help          this text

examples/federated/worker.ts takes the same options, --server, --run NAME and --worker K: for other machines.`;

export interface Options {
  workers: number;
  rounds: number;
  count: number;
  divide: Division;
  seed: number;
  kill: boolean;
  pace: number;
  patience: number;
  server: string | undefined;
  /** The name of the training. */
  run: string;
  worker: number;
}

/** The options; "help" if that was asked for. */
export function readOptions(args: string[]): Options | "help" {
  const { help, kill, server, run, divide, ...numbers } = parse(args);
  if (help) return "help";
  if (divide !== "even" && divide !== "digits")
    throw new InputError(`--divide is even or digits, got "${divide}"`);
  const integer = (name: keyof typeof numbers, min: number, max: number) =>
    readInteger(`--${name}`, numbers[name], min, max);
  const workers = integer("workers", 1, 10);
  return {
    ...{ workers, kill, server, run, divide },
    rounds: integer("rounds", 1, 10_000),
    count: integer("count", 100, 1_000_000),
    seed: integer("seed", 0, 100_000),
    pace: readInteger("--pace", numbers.pace ?? (kill ? "150" : "0"), 0, 60_000),
    patience: readInteger("--patience", numbers.patience ?? (kill ? "2000" : "10000"), 1, 3_600_000),
    worker: integer("worker", 0, workers - 1),
  };
}

function parse(args: string[]) {
  const string = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const options = {
    workers: { ...string, default: "2" },
    rounds: { ...string, default: "100" },
    count: { ...string, default: "1797" },
    divide: { ...string, default: "even" },
    seed: { ...string, default: "0" },
    pace: string,
    patience: string,
    server: string,
    run: { ...string, default: "digits" },
    worker: { ...string, default: "0" },
    ...{ kill: flag, help: flag },
  } as const;
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new InputError(`${(error as Error).message.split(/[\n.]/)[0]}; --help lists the options`);
  }
}

function readInteger(name: string, text: string | undefined, min: number, max: number): number {
  const value = text !== undefined && /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  throw new InputError(`${name} must be a whole number from ${min} to ${max}, got "${text}"`);
}
