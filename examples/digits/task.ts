import { readRows } from "./csv";
import { type Batch, CLASSES, type Digits, PIXELS, type Split, split } from "./data";
import { toDigits } from "./read";
import { describeDigits } from "./render";
import { describeTable, isTable, splitTable, type Table, toTable } from "./table";

/** What there is to learn. */
export interface Task {
  /** What the rows are: "digits". */
  things: string;
  features: number;
  /** Number of classes. */
  classes: number;
  /** Rows to train on and rows to test, as the network sees them. */
  split: (seed: number) => Split;
  /** The predictions for the rows to test, as text. */
  describe: (test: Batch, predictions: Int32Array) => string;
}

/** The digits stand in the order of their writers: those to test are by others, so the seed does not mix them. */
export function digitsTask(digits: Digits): Task {
  const parts = split(digits);
  return {
    things: "digits",
    features: PIXELS,
    classes: CLASSES,
    split: () => parts,
    describe: describeDigits,
  };
}

function tableTask(table: Table): Task {
  return {
    things: "rows",
    features: table.features,
    classes: table.classes.length,
    split: (seed) => splitTable(table, seed),
    describe: ({ labels }, predictions) => describeTable(table.classes, labels, predictions),
  };
}

/** The task of a file, recognised by its first line. */
export function readTask(path: string): Task {
  const rows = readRows(path);
  return isTable(rows) ? tableTask(toTable(path, rows)) : digitsTask(toDigits(path, rows));
}
