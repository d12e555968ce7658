// Measures an op of one number against its true values, after checking these against the references of the tests.
import * as nablas from "../../src/index";
import { type Case, numbers, type Variant } from "../../test/cases";
import { nd } from "../../test/reference";
import { ulpError } from "../../test/ulp";
import { A, binaries, floats, type Kernel, unary, Y } from "./binaries";
import { derivatives, type Options, truthNames, truthOptions } from "./functions";
import { type Sweep, sweep, trueValues, type Worst } from "./sweep";

/** Where a derivative changes its sign, this much to both sides is left out of the relative error. */
export const MARGIN = 0.05;

/** Ops whose derivative is formed from the result. */
const fromOutput = new Set(["exp", "sqrt"]);
/** Ops of numbers ≥ 0. */
export const fromZero = new Set(["log", "sqrt"]);

/** How well the true values have to agree with those of the op table and functions.ts, which are slower. */
const AGREEMENT = 1e-10;
const SAMPLES = 2000;

interface Task {
  kernel: Kernel;
  truth: string;
  options: [number, number];
  /** Options by name, as the kernel has them: float32. */
  named: Options;
}

function taskOf(c: Case, variant: Variant): Task {
  const given = (variant.args[0] ?? {}) as Options;
  const { defaults = {} } = (nablas as unknown as Record<string, { defaults?: Options }>)[c.name]!;
  const entries = Object.entries({ ...defaults, ...given });
  const named = Object.fromEntries(entries.map(([k, v]) => [k, typeof v === "number" ? Math.fround(v) : v]));
  const parameters = Object.values(named).filter((v) => typeof v === "number");
  const op = given.approximate === "tanh" ? "geluTanh" : c.name;
  return {
    kernel: { op, parameters, saves: fromOutput.has(op) ? "output" : "input" },
    truth: truthNames[op] ?? op,
    options: truthOptions[op] ?? [parameters[0] ?? 0, parameters[1] ?? 0],
    named,
  };
}

/** @throws Error where the true values are not those of the op table, or not those of functions.ts */
function check(c: Case, variant: Variant, { truth, options, named }: Task): void {
  const random = numbers(5);
  const bits = Uint32Array.from(
    { length: SAMPLES },
    () => (random() * 2 ** 32) & (fromZero.has(c.name) ? 0x7fffffff : -1),
  );
  const small = Float32Array.from(
    { length: SAMPLES },
    () => (random() - (fromZero.has(c.name) ? 0 : 0.5)) * 40,
  );
  const x = Float32Array.from([...new Float32Array(bits.buffer), ...small]).filter(Number.isFinite);
  const values = c.expected([nd([x.length], Float64Array.from(x))], variant).data;
  const { at, zero = Infinity } = derivatives[c.name]!;
  for (const [slope, want] of [
    [false, values],
    [true, Float64Array.from(x, (v) => at(v, named))],
  ] as const) {
    for (const [i, got] of trueValues(truth, options, slope, x).entries()) {
      // What float32 does not tell apart from 0 and ±∞ needs no agreement.
      const [a, b] = [got, want[i]!].map((v) => (Math.abs(v) < 1e-60 ? 0 : Math.fround(v))) as [
        number,
        number,
      ];
      const same = a === b && (a === 0 || Math.abs(a) === Infinity);
      const near = slope && Math.abs(x[i]! - zero) < MARGIN;
      if (same || near || Math.abs(got / want[i]! - 1) < AGREEMENT || Object.is(got, want[i])) continue;
      throw new Error(
        `${c.name} ${JSON.stringify(named)} at ${x[i]}, slope ${slope}: ${got} is not ${want[i]}`,
      );
    }
  }
}

/** The error of each binary's values at ±∞. */
function atInfinity(c: Case, variant: Variant, kernel: Kernel, worst: Worst[]): void {
  const ends = fromZero.has(c.name) ? [Infinity] : [Infinity, -Infinity];
  for (const i of binaries.keys()) {
    floats(A).set(ends);
    unary(i, kernel, false);
    for (const [j, x] of ends.entries()) {
      const want = c.limits[String(x)] ?? c.expected([nd([1], Float64Array.of(x))], variant).data[0]!;
      const error = ulpError(floats(Y)[j]!, want);
      if (!(error <= worst[i]!.error)) worst[i] = { error, at: [x] };
    }
  }
}

/** The largest errors of each binary: of the values in ULP, of the derivative relative. */
export function measure(
  c: Case,
  variant: Variant,
  stride: number,
  progress: (what: string, share: number) => void,
): { values: Worst[]; gradients: Worst[] } {
  const task = taskOf(c, variant);
  check(c, variant, task);
  const negative = !fromZero.has(c.name);
  const common: Omit<Sweep, "slope"> = { ...task, negative, stride };
  const values = sweep({ ...common, slope: false }, (share) => progress("values", share));
  atInfinity(c, variant, task.kernel, values);
  const { zero } = derivatives[c.name]!;
  const gap = zero === undefined ? undefined : ([zero - MARGIN, zero + MARGIN] as const);
  const gradients = sweep({ ...common, slope: true, gap }, (share) => progress("gradient", share));
  return { values, gradients };
}
