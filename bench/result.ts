import type { Effort } from "./contest";
import { compare } from "./harness";
import type { Row } from "./rows/row";
import type { Timing } from "./stats";
import type { Yardsticks } from "./yardsticks";

/** What one row came to. */
export interface Result extends Pick<Row, "name" | "amount" | "unit"> {
  wasm: Timing;
  js: Timing;
  /** How many times faster wasm is. */
  ratio: number;
  /** The part of the peak of multiply-adds that wasm reaches. */
  fractionOfPeak?: number;
  /** How many times as long as copying its elements wasm takes. */
  copies?: number;
}

export function measure(
  { name, amount, unit, prepare }: Row,
  yardsticks: Yardsticks,
  effort: Effort,
): Result {
  const { wasm, js, check } = prepare();
  const row = { name, amount, unit };
  if (unit === "FLOP") {
    const { run: peak, amount: flop } = yardsticks.peak();
    const times = compare(name, { wasm, peak, js }, check, effort);
    const fractionOfPeak = amount / times.wasm.median / (flop / times.peak.median);
    return { ...row, ...sides(times), fractionOfPeak };
  }
  if (unit === "element") {
    const { run: copy } = yardsticks.copy(amount);
    const times = compare(name, { wasm, copy, js }, check, effort);
    return { ...row, ...sides(times), copies: times.wasm.median / times.copy.median };
  }
  return { ...row, ...sides(compare(name, { wasm, js }, check, effort)) };
}

function sides({ wasm, js }: Record<"wasm" | "js", Timing>) {
  return { wasm, js, ratio: js.median / wasm.median };
}
