// How reductions and their ways back divide.
import { BLOCK } from "../../assembly/blocks";
import type { Run } from "./run";
import { along, finest, type Split } from "./walk";

/**
 * Kernels on [outer, size, inner]: by `outer`.
 * @param pattern for each argument what it has for each of them: x size · inner floats, y inner floats, w inner float64,
 *   S scratch of inner float64; the counts are o, s, i, and r is the inner of the whole where a call has a part of it
 */
export class Outer implements Split {
  readonly work: readonly number[];
  protected readonly outer: number;

  constructor(
    protected readonly name: string,
    private readonly pattern: string,
  ) {
    this.outer = pattern.indexOf("o");
    this.work = [this.outer, this.outer + 1, this.outer + 2];
  }

  cut(run: Run, args: readonly number[], pieces: number): void {
    const { name, pattern, outer } = this;
    const [size, inner] = [args[outer + 1]!, args[outer + 2]!];
    const stride = args[pattern.indexOf("r")] ?? inner;
    const bytes: Record<string, number> = { x: 4 * size * stride, y: 4 * stride, w: 8 * stride };
    const steps = [...pattern].map((letter) => bytes[letter] ?? 0);
    const scratch = pattern.indexOf("S");
    along(run, name, args, { count: outer, steps, grain: 1, scratch, bytes: 8 * inner }, pieces);
  }
}

/** Reductions: by outer, or by columns. */
export class Columns extends Outer {
  /** @param steps bytes by which the first arguments go on from column to column */
  constructor(
    name: string,
    pattern: string,
    private readonly steps: readonly number[],
  ) {
    super(name, pattern);
  }

  override cut(run: Run, args: readonly number[], pieces: number): void {
    const { name, outer, steps } = this;
    if (args[outer]! > 1 || args[outer + 2] === 1) super.cut(run, args, pieces);
    else along(run, name, args, { count: outer + 2, steps, grain: finest.grain }, pieces);
  }
}

/** Sums, of everything by blocks. */
export class Sum extends Columns {
  override cut(run: Run, args: readonly number[], pieces: number): void {
    const [x, y, , outer, size, , scale, accumulate, stride] = args as [...Eight, number];
    if (outer !== 1 || stride !== 1 || size <= BLOCK) {
      super.cut(run, args, pieces);
      return;
    }
    const blocks = Math.ceil(size / BLOCK);
    const sums = run.space(8 * blocks);
    along(run, "blockSums", [x, sums, size], { count: 2, steps: [4, 8 / BLOCK], grain: BLOCK }, pieces);
    run.wait();
    run.add("addBlocks", [sums, y, blocks, scale, accumulate]);
  }
}

/** The way back of what was summed: by outer, or by the rows that one gradient goes to. */
export class Spread extends Outer {
  constructor(
    name: string,
    pattern: string,
    private readonly inner: string,
  ) {
    super(name, pattern);
  }

  override cut(run: Run, args: readonly number[], pieces: number): void {
    const { outer, name } = this;
    if (args[outer]! > 1) {
      super.cut(run, args, pieces);
      return;
    }
    const inner = args[outer + 2]!;
    const steps = [...this.inner].map((letter) => (letter === "x" ? 4 * inner : 0));
    along(run, name, args, { count: outer + 1, steps, grain: inner === 1 ? finest.grain : 1 }, pieces);
  }
}

type Eight = [number, number, number, number, number, number, number, number];

/** The largest by blocks, and then of these. */
export const absMax: Split = {
  work: [2],
  cut(run, args, pieces) {
    const [x, largest, n] = args as [number, number, number];
    const blocks = Math.ceil(n / BLOCK);
    const maxima = run.space(4 * blocks);
    along(run, "blockMaxima", [x, maxima, n], { count: 2, steps: [4, 4 / BLOCK], grain: BLOCK }, pieces);
    run.wait();
    run.add("absMax", [maxima, largest, blocks]);
  },
};
