// Datasets whose rows tell which they are.
import { type Dataset, dataset } from "../src/index";

/** Rows [i, −i] with the class i mod 3. */
export function numbered(count: number): Dataset {
  const rows = Array.from({ length: count }, (_, i) => [i, -i]);
  return dataset(
    rows,
    rows.map(([i]) => i! % 3),
  );
}

/** The first column of all inputs, batch by batch. */
export function firsts(data: Dataset, options?: Parameters<Dataset["batches"]>[0]): number[][] {
  return Array.from(data.batches(options), ({ x }) => (x.toArray() as number[][]).map(([i]) => i!));
}

export function all(data: Dataset): number[] {
  return firsts(data, { batchSize: data.size })[0]!;
}

export const ascending = (values: number[]) => [...values].sort((a, b) => a - b);
