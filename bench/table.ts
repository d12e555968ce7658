import type { Result } from "./result";
import { spread } from "./stats";

const NAME_WIDTH = 31;
const WIDTHS = [7, 7, 6, 12, 10, 4];
const TITLES = ["wasm", "JS", "ratio", "wasm speed", "yardstick", "±"];

export const HEADER = [
  line("", TITLES),
  `|${"-".repeat(NAME_WIDTH + 1)}-|${WIDTHS.map((width) => `${"-".repeat(width + 1)}:|`).join("")}`,
].join("\n");

/** Medians, their ratio, which is how many times faster wasm is, its speed, and half the distance of its quartiles. */
export function formatRow(result: Result): string {
  const { name, wasm, js, ratio } = result;
  const cells = [time(wasm.median), time(js.median), ratio.toFixed(2), speed(result), yardstick(result)];
  return line(name, [...cells, `${spread(wasm).toFixed(0)}%`]);
}

function line(name: string, cells: string[]): string {
  return `| ${name.padEnd(NAME_WIDTH)} | ${cells.map((cell, i) => cell.padStart(WIDTHS[i]!)).join(" | ")} |`;
}

function speed({ amount, unit, wasm: { median } }: Result): string {
  if (unit === "FLOP") return `${(amount / median / 1e9).toFixed(1)} GFLOP/s`;
  if (unit === "element") return `${threeDigits((median * 1e9) / amount)} ns each`;
  return `${Math.round(amount / median).toLocaleString("en")} /s`;
}

function yardstick({ fractionOfPeak, copies }: Result): string {
  if (fractionOfPeak !== undefined) return `${(100 * fractionOfPeak).toFixed(0)}% peak`;
  return copies === undefined ? "" : `${threeDigits(copies)} copies`;
}

/** In three digits. */
export function time(seconds: number): string {
  if (seconds >= 1) return `${threeDigits(seconds)} s`;
  if (seconds >= 1e-3) return `${threeDigits(seconds * 1e3)} ms`;
  if (seconds >= 1e-6) return `${threeDigits(seconds * 1e6)} µs`;
  return `${threeDigits(seconds * 1e9)} ns`;
}

/** For a number from 0.01 to 1000. */
export function threeDigits(x: number): string {
  return x >= 99.95 ? x.toFixed(0) : x >= 9.995 ? x.toFixed(1) : x.toFixed(2);
}
