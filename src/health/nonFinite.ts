// Where the numbers cease to be finite.
import type { Tensor } from "../tensor";
import { type Batch, valuesOf } from "./data";
import { type Finding, findingAt } from "./report";
import type { Statistics } from "./statistics";
import type { Stage, Trace } from "./trace";

const MAX_FLOAT32 = (2 - 2 ** -23) * 2 ** 127;

const CLEAN = "clean the data, or drop the row";
const LOWER = "lower the learning rate, or clip the gradients by clipGradNorm";
const DOMAIN = "keep what goes in within the op's domain, or scale it down";

/** Values that a stage has to do with. */
interface Place {
  stage: Stage;
  what: string;
  values: Statistics | undefined;
  remedy: string;
}

/** The first number that is not finite: in the data, in the forward pass, in the backward pass. */
export function nonFinite({ stages }: Trace, { inputs, targets }: Batch): Finding | undefined {
  for (const [layer, data] of [
    ["inputs", inputs],
    ["targets", targets],
  ] as const) {
    const values = valuesOf(data);
    if (values?.nonFinite === undefined) continue;
    const { value } = values.nonFinite;
    const advice = describe(`${layer}: the number`, values, CLEAN, data);
    return { code: "non-finite", layer, value, threshold: MAX_FLOAT32, advice };
  }
  for (const { stage, what, values, remedy } of [...forward(stages), ...backward(stages)]) {
    if (values?.nonFinite === undefined) continue;
    const { value } = values.nonFinite;
    return findingAt(stage, "non-finite", [value, MAX_FLOAT32], describe(what, values, remedy));
  }
  return undefined;
}

/** @param data what the statistics are of, if they are data */
function describe(what: string, { nonFinite }: Statistics, remedy: string, data?: Tensor): string {
  const { row, column, value } = nonFinite!;
  const at = row * ((data?.shape.length ?? 0) > 1 ? data!.shape.at(-1)! : 1) + column;
  const place = data?.buffer.origin?.place(at) ?? `row ${row}, column ${column}`;
  return `${what} in ${place} is ${value}, the first that is not finite; ${remedy}`;
}

function forward(stages: readonly Stage[]): Place[] {
  return stages.flatMap((stage): Place[] => {
    const { weights, op, output } = stage;
    const own = weights.map(({ name, values }): Place => {
      return { stage, what: `the parameter ${name}`, values, remedy: LOWER };
    });
    return [...own, { stage, what: `the output of ${op}`, values: output, remedy: DOMAIN }];
  });
}

/** The gradient of a stage's output comes from those that take it. */
function backward(stages: readonly Stage[]): Place[] {
  return stages.toReversed().flatMap((stage): Place[] => {
    const takers = stages.filter(({ inputs }) => inputs.includes(stage));
    const taker = takers.find(({ op }) => op in SLOPES) ?? takers[0] ?? stage;
    const remedy = SLOPES[taker.op] ?? LOWER;
    const own = stage.weights.map((w): Place => {
      return { stage, what: `the gradient of ${w.name}`, values: w.gradient, remedy: LOWER };
    });
    return [
      { stage: taker, what: `the gradient that ${taker.op} passes back`, values: stage.gradient, remedy },
      ...own,
    ];
  });
}

/** Ops whose slope is infinite, or overflows, where their value does not, and what to do. */
const SLOPES: Readonly<Record<string, string>> = {
  sqrt: "its slope at 0 is infinite: add a small number in front of it",
  pow: "its slope at 0 is infinite below an exponent of 1: add a small number in front of it",
  log: "its slope near 0 overflows: add a small number in front of it",
  div: "its slope near a divisor of 0 overflows: add a small number to that",
};
