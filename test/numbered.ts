import { type Dataset, dataset } from "../src/index";

/** Rows [i, −i] with the class i mod 3. */
export function numbered(count: number): Dataset {
  const rows = Array.from({ length: count }, (_, i) => [i, -i]);
  return dataset(
    rows,
    rows.map(([i]) => i! % 3),
  );
}
