import type { Comparison, Timing } from "./harness";
import type { Row } from "./rows";

const NAME_WIDTH = 36;
const WIDTHS = [10, 10, 8, 16, 22, 22];

export const HEADER = line("", [
  "wasm",
  "JS",
  "ratio",
  "wasm speed",
  "wasm min, mean ± rme",
  "JS min, mean ± rme",
]);

/** Medians and their ratio, how many times faster wasm is; then for each side the minimum and mean ± rme. */
export function formatRow(row: Row, { wasm, js }: Comparison): string {
  const ratio = (js.median / wasm.median).toFixed(2);
  return line(row.name, [
    time(wasm.median),
    time(js.median),
    ratio,
    speed(row, wasm.median),
    spread(wasm),
    spread(js),
  ]);
}

function line(name: string, cells: string[]): string {
  return name.padEnd(NAME_WIDTH) + cells.map((cell, i) => cell.padStart(WIDTHS[i]!)).join("");
}

function speed({ amount, unit }: Row, seconds: number): string {
  if (unit === "FLOP") return `${(amount / seconds / 1e9).toFixed(1)} GFLOP/s`;
  if (unit === "step") return `${Math.round(amount / seconds)} steps/s`;
  return `${((seconds * 1e9) / amount).toFixed(2)} ns/element`;
}

function spread({ min, mean, rme }: Timing): string {
  return `${time(min)}, ${time(mean)} ±${rme.toFixed(0)}%`;
}

function time(seconds: number): string {
  if (seconds >= 1e-3) return `${(seconds * 1e3).toPrecision(3)} ms`;
  return `${(seconds * 1e6).toPrecision(3)} µs`;
}
