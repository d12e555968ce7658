// Functions of two numbers, at random pairs: there are 2^64.
import { type Case, numbers, type Variant } from "../../test/cases";
import { nd } from "../../test/reference";
import { relativeError, ulpError } from "../../test/ulp";
import { A, B, binaries, binary, CHUNK, floats, words, Y } from "./binaries";
import type { Worst } from "./sweep";

/** Pairs of bit patterns that a function of two numbers is tried on, and as many that have a number of float32 as result. */
export const PAIRS = 150 * CHUNK;

/** The derivatives by both operands; of a sum they are 1. */
const derivatives: Record<string, [(a: number, b: number) => number, (a: number, b: number) => number]> = {
  mul: [(_, b) => b, (a) => a],
  div: [(_, b) => 1 / b, (a, b) => -a / (b * b)],
  pow: [(a, b) => (b === 0 ? 0 : b * Math.exp((b - 1) * Math.log(a))), (a, b) => a ** b * Math.log(a)],
};

/** Fills A and B, every second chunk so that results are likely to be numbers that float32 has. */
function draw(name: string, chunk: number, random: () => number): void {
  const [a, b, bits] = [floats(A), floats(B), words(A)];
  for (const operand of [words(A), words(B)]) {
    for (let i = 0; i < CHUNK; i++)
      do operand[i] = random() * 2 ** 32;
      while ((operand[i]! & 0x7f800000) === 0x7f800000);
  }
  if (chunk % 2 === 0) return;
  for (let i = 0; i < CHUNK; i++) {
    if (name === "pow") {
      bits[i] = bits[i]! & 0x7fffffff;
      b[i] = (200 * random() - 100) / (Math.log(a[i]!) || 1);
    } else {
      b[i] = a[i]! * 2 ** (50 * random() - 25) * Math.sign(random() - 0.5);
    }
  }
}

/** The largest errors of each binary: of the values in ULP, of both derivatives relative. */
export function measurePairs(
  c: Case,
  variant: Variant,
  count: number,
  progress: (what: string, share: number) => void,
): { values: Worst[]; gradients: Worst[] | undefined } {
  const values = binaries.map((): Worst => ({ error: 0, at: [] }));
  const gradients = binaries.map((): Worst => ({ error: 0, at: [] }));
  const slopes = derivatives[c.name];
  const random = numbers(1);
  for (let chunk = 0; chunk < (2 * count) / CHUNK; chunk++) {
    progress("pairs", (chunk * CHUNK) / (2 * count));
    draw(c.name, chunk, random);
    const [a, b] = [floats(A), floats(B)].map((x) => Float64Array.from(x)) as [Float64Array, Float64Array];
    const want = c.expected([nd([CHUNK], a), nd([CHUNK], b)], variant).data;
    for (const i of binaries.keys()) {
      const compare = (worst: Worst[], truth: (j: number) => number, error: typeof ulpError) => {
        for (const [j, y] of floats(Y).entries()) {
          const e = error(y, truth(j));
          if (!(e <= worst[i]!.error)) worst[i] = { error: e, at: [a[j]!, b[j]!] };
        }
      };
      binary(i, c.name, "Forward");
      compare(values, (j) => want[j]!, ulpError);
      // What a derivative is where its formula ends is for the tests of pow and div.
      const inside = (j: number) =>
        Number.isFinite(want[j]!) && a[j]! * b[j]! !== 0 && (c.name !== "pow" || a[j]! > 0);
      for (const [which, slope] of slopes?.entries() ?? []) {
        binary(i, c.name, which === 0 ? "BackwardA" : "BackwardB");
        compare(gradients, (j) => (inside(j) ? slope(a[j]!, b[j]!) : floats(Y)[j]!), relativeError);
      }
    }
  }
  return { values, gradients: slopes && gradients };
}
