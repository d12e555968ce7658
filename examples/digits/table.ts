// Tables such as the iris and the breast cancer data in scikit-learn's repository: "rows,features,class names…" in the
// first line, which may be padded with commas, then in each line the features and the number of the class.
import { confusionMatrix, type Dataset, dataset, Standardise, scope } from "nablas";
import { type Row, readClass, readNumber } from "./csv";
import type { Batch, Split } from "./data";
import { InputError } from "./input-error";

/** `values` is [rows, features]; `labels` holds the position of each row's class in `classes`. */
export interface Table {
  features: number;
  classes: string[];
  values: Float32Array;
  labels: Int32Array;
}

/** Whether the first line has two counts, then names. */
export function isTable([first]: readonly Row[]): boolean {
  const [rows = "", features = "", ...names] = first!.cells.map((cell) => cell.trim());
  const isCount = (cell: string) => /^[1-9]\d*$/.test(cell);
  const isName = (cell: string) => Number.isNaN(Number(cell));
  return (
    isCount(rows) && isCount(features) && names.some(isName) && names.every((cell) => !cell || isName(cell))
  );
}

export function toTable(path: string, [header, ...rows]: readonly Row[]): Table {
  const [promised, features] = header!.cells.slice(0, 2).map(Number) as [number, number];
  const classes = header!.cells
    .slice(2)
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (classes.length < 2)
    throw new InputError(`${header!.place}: expected two classes or more, got ${classes}`);
  if (rows.length !== promised) {
    throw new InputError(`${path}: the first line promises ${promised} rows, but there are ${rows.length}`);
  }
  if (rows.length === 1) throw new InputError(`${path}: one row is too few, one to train and one to test`);
  for (const { cells, place } of rows) {
    if (cells.length === features + 1) continue;
    throw new InputError(
      `${place}: expected ${features + 1} columns (${features} features, class), got ${cells.length}`,
    );
  }
  const table = {
    features,
    classes,
    values: new Float32Array(rows.length * features),
    labels: new Int32Array(rows.length),
  };
  rows.forEach(({ cells, place }, i) => {
    const values = cells
      .slice(0, features)
      .map((cell, column) => readNumber(cell, `${place}, column ${column + 1}`));
    table.values.set(values, i * features);
    table.labels[i] = readClass(
      cells[features]!,
      classes.length,
      "a class",
      `${place}, column ${features + 1}`,
    );
  });
  return table;
}

/** 80 % of the rows, drawn by the seed, to train, the rest to test; standardised by the rows to train on alone. */
export function splitTable({ features, values, labels }: Table, seed: number): Split {
  const data = dataset({ data: values, shape: [labels.length, features] }, labels);
  const [train, test] = data.split(0.8, { seed });
  using scaler = new Standardise().fit(train);
  return { train: toBatch(scaler.apply(train)), test: toBatch(scaler.apply(test)) };
}

function toBatch(data: Dataset): Batch {
  return scope(() => {
    const { x, y } = data.batch();
    return { x: Float32Array.from(x.data), labels: Int32Array.from(y.data) };
  });
}

/** How often rows of each class were taken for each. */
export function describeTable(classes: string[], labels: Int32Array, predictions: Int32Array): string {
  const counts = confusionMatrix(predictions, labels, { classes: classes.length });
  const rows = [["taken for", ...classes], ...counts.map((row, i) => [classes[i]!, ...row.map(String)])];
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const lines = rows.map(([name, ...cells]) =>
    [name!.padEnd(widths[0]!), ...cells.map((cell, i) => cell.padStart(widths[i + 1]!))].join("  "),
  );
  return `${lines.join("\n")}\n`;
}
