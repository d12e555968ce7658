import { compile, diagnose, type FindingCode, type Module, noGrad, scope, type Tensor } from "nablas";

/** What makes one run of an experiment: the same setup gives the same bits. */
export interface Setup {
  seed: number;
  /** Fewer steps and cases, with the same claims. */
  quick?: boolean;
}

export type Cell = string | number;

export interface Table {
  head: readonly string[];
  rows: readonly (readonly Cell[])[];
}

export interface Outcome {
  table: Table;
  /** Draws the figures as an SVG. */
  chart(): string;
  /** What the chart shows, for those who do not see it. */
  alt: string;
  /** What one sees, with the figures of this run; Markdown. */
  sees: string;
}

export interface Experiment {
  /** Of the files: two digits and a word. */
  name: string;
  title: string;
  /** The question, Markdown. */
  asks: string;
  /** The formula behind the answer, Markdown. */
  formula: string;
  /** Measures, and asserts the claims: throws a ClaimError where one does not hold. */
  run(setup: Setup): Outcome;
  /** What to do about it, Markdown. */
  advice: string;
}

export class ClaimError extends Error {
  override readonly name = "ClaimError";
}

/** Asserts a claim of an experiment. */
export function claim(holds: boolean, text: string): void {
  if (!holds) throw new ClaimError(`the experiment does not show that ${text}`);
}

export type Loss = (output: Tensor, target: Tensor) => Tensor;

/** Trains on all rows at once, `steps` times. Returns the loss before the last step. */
export function train(
  model: Module & { forward(x: Tensor): Tensor },
  optimizer: { zeroGrad(): void; step(): void },
  loss: Loss,
  [x, y]: readonly [Tensor, Tensor],
  steps: number,
): number {
  using step = compile((x: Tensor, y: Tensor) => {
    const value = loss(model.forward(x), y);
    optimizer.zeroGrad();
    value.backward();
    optimizer.step();
    return value;
  });
  for (let i = 1; i < steps; i++) step(x, y);
  return step(x, y).item();
}

/** Whether `diagnose` finds this in the model. */
export function suffers(
  code: FindingCode,
  model: Module,
  loss: Loss,
  [x, y]: readonly [Tensor, Tensor],
): boolean {
  return diagnose(model, x, y, loss).findings.some((finding) => finding.code === code);
}

/** A number of an evaluation that leaves nothing behind. */
export function evaluate(measure: () => number): number {
  return scope(() => noGrad(measure));
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)]!;
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** √Σ v² */
export function norm(values: ArrayLike<number>): number {
  return Math.hypot(...Array.from(values));
}

/** As people write it: three significant digits, powers of ten where it is very small or large. */
export function show(value: number, digits = 3): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = size >= 1e5 || size < 1e-3 ? power(value, digits) : `${Number(value.toPrecision(digits))}`;
  return text.replace("-", "−");
}

function power(value: number, digits: number): string {
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e") as [string, string];
  const raised = [...exponent.replace("+", "")].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹⁻"["0123456789-".indexOf(c)]).join("");
  return `${Number(mantissa)} · 10${raised}`;
}

export function percent(share: number, digits = 0): string {
  return `${(100 * share).toFixed(digits)} %`;
}
