import type { Statistics } from "./statistics";
import { BOUNDS, type Stage } from "./trace";

/** What `diagnose` and `lint` can find. */
export type FindingCode =
  | "vanishing-gradient"
  | "exploding-gradient"
  | "dead-relu"
  | "saturated"
  | "loss-mismatch"
  | "non-finite"
  | "not-normalised"
  | "bias-shift"
  | "bad-init"
  | "constant-output"
  | "labels-out-of-range";

/** Something that is wrong with a network. */
export interface Finding {
  /** What kind of thing. */
  code: FindingCode;
  /**
   * Where: the path of a module, as "0" or "encoder.1", with the op where it is not one, and "#2" where it runs for the
   * second time; "model"; "inputs", "targets", "loss".
   */
  layer: string;
  /** What was measured; 1 for what is there or not. */
  value: number;
  /** The bound that the value is beyond; 0 for what is there or not. */
  threshold: number;
  /** Where in words, what is the matter, and what to do about it, in a sentence. */
  advice: string;
}

/** What `diagnose` measures of a layer: its output over the batch, and the gradient of the loss. */
export interface LayerHealth {
  /** Where it is: "0", "encoder.1"; for an op outside of a layer with its name, "encoder.relu". */
  layer: string;
  /** The module with its sizes, or the op. */
  type: string;
  /** Of the output. */
  mean: number;
  /** Of the output: √(Σ (x − mean)² / n). */
  std: number;
  /** Share of the elements on the flat part of sigmoid, tanh and their like; null for others. */
  saturated: number | null;
  /** Share of the ReLUs that are 0 in every row of the batch; null for others. */
  dead: number | null;
  /** √Σ g² of the gradient with respect to the output; null if none came here. */
  gradientNorm: number | null;
  /** lr ‖g‖ / ‖w‖ of the weight: by how much of itself a step of plain SGD changes it; null without one. */
  updateRatio: number | null;
  /** The first element that is not finite, and the op that gave it; null if all are finite. */
  nonFinite: { op: string; row: number; column: number; value: number } | null;
}

/** The name of a stage's layer. */
export function nameOf({ path, op, module, count }: Stage): string {
  if (op.endsWith("Loss")) return "loss";
  const name = module === undefined ? `${path}.${op}`.replace(/^\./, "") : path || "model";
  return count > 1 ? `${name} #${count}` : name;
}

/** The layer as people call it: layer 2 (ReLU). */
function placeOf(stage: Stage): string {
  const { module, path } = stage;
  if (module === undefined) return nameOf(stage);
  return `${path === "" ? "the" : "layer"} ${nameOf(stage)} (${module.constructor.name})`;
}

/** What is found at a layer; `advice` goes on after its name. */
export function findingAt(
  stage: Stage,
  code: FindingCode,
  [value, threshold]: readonly [value: number, threshold: number],
  advice: string,
): Finding {
  return { code, layer: nameOf(stage), value, threshold, advice: `${placeOf(stage)}: ${advice}` };
}

/** The value of what is there or not, and its threshold. */
export const FLAG = [1, 0] as const;

/** A finding in a line. */
export function line({ code, advice }: Finding): string {
  return `${code}: ${advice}`;
}

/** The weight of a layer: its parameter of two dimensions or more. */
export function weightOf({ weights }: Stage): Stage["weights"][number] | undefined {
  return weights.find(({ tensor }) => tensor.shape.length > 1);
}

/** A layer's row of the report. */
export function layerHealth(stage: Stage, lr: number): LayerHealth {
  const { output, gradient, op, activation, module } = stage;
  const weight = weightOf(stage);
  return {
    layer: nameOf(stage),
    type: String(module ?? op),
    mean: output.mean,
    std: output.std,
    saturated: activation !== undefined && activation in BOUNDS ? output.saturated : null,
    dead: isRelu(activation) ? output.dead : null,
    gradientNorm: gradient?.norm ?? null,
    updateRatio: weight?.gradient === undefined ? null : updateRatio(weight.gradient, weight.values, lr),
    nonFinite: output.nonFinite === undefined ? null : { op, ...output.nonFinite },
  };
}

/** Whether the activation is 0 for all that is below 0. */
export function isRelu(activation: string | undefined): boolean {
  return activation === "relu" || activation === "relu6";
}

/** lr ‖g‖ / ‖w‖; 0 for a weight of zeros, which has no size to compare with. */
function updateRatio(gradient: Statistics, weight: Statistics, lr: number): number {
  return weight.norm === 0 ? 0 : (lr * gradient.norm) / weight.norm;
}

const COLUMNS = ["layer", "type", "mean", "std", "saturated", "dead", "gradient", "update", "not finite"];

/**
 * What `diagnose` has seen. As text, which `String` gives and console.log shows in Node, it is a table of the layers with
 * the findings below it; in a browser write `console.log(String(diagnosis))`.
 */
export class Diagnosis {
  constructor(
    /** What is wrong, worst first. */
    readonly findings: readonly Finding[],
    /** In the order of the forward pass. */
    readonly layers: readonly LayerHealth[],
  ) {}

  /** The table, and the findings below it. */
  toString(): string {
    const rows = this.layers.map(cells);
    const filled = (_: string, i: number) => rows.some((row) => row[i] !== "");
    const table = [COLUMNS, ...rows].map((row) => row.filter(filled));
    const widths = table[0]!.map((_, i) => Math.max(...table.map((row) => row[i]!.length)));
    const lines = table.map((row) =>
      row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!))).join("  "),
    );
    const rule = "─".repeat(lines[0]!.length);
    const found = this.findings.length > 0 ? this.findings.map(line) : ["no findings"];
    return [lines[0], rule, ...lines.slice(1), rule, ...found].join("\n");
  }

  /** What console.log shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function cells(health: LayerHealth): string[] {
  const { layer, type, mean, std, saturated, dead, gradientNorm, updateRatio: ratio, nonFinite } = health;
  const place = nonFinite === null ? "" : `${nonFinite.op} [${nonFinite.row}, ${nonFinite.column}]`;
  const numbers = [number(mean), number(std), percent(saturated), percent(dead), number(gradientNorm)];
  return [layer, type, ...numbers, number(ratio), place];
}

function number(x: number | null): string {
  return x === null ? "" : digits(x, 3);
}

/** A share as people read it: 94 %. */
export function percent(share: number | null): string {
  return share === null ? "" : `${Math.round(100 * share)} %`;
}

/** A number as people read it: two digits of it. */
export function short(x: number): string {
  return digits(x, 2);
}

function digits(x: number, count: number): string {
  const rounded = Number(x.toPrecision(count));
  return Math.abs(rounded) < 1e-3 && rounded !== 0 ? rounded.toExponential() : String(rounded);
}
