// Random little graphs of ops: a list of numbers becomes a program, which runs on tensors, or on arrays of float64.
import fc from "fast-check";
import { type Tensor, tensor } from "../../src/index";
import { type Case, cases, type Input, numbers, tensors, title } from "../cases";
import { type Nd, nd, type Shape } from "../reference";
import { Choices, dataFor, type RandomVariant, variantFor } from "./variants";

interface Leaf {
  data: Nd;
  input: Input;
  requiresGrad: boolean;
}

interface Operation {
  c: Case;
  variant: RandomVariant;
  /** The places of the operands in the program. */
  inputs: readonly number[];
}

type Item = Leaf | Operation;

const isLeaf = (item: Item): item is Leaf => "data" in item;

/** What one step of a sample chooses: the op, the value it takes, and then its form. */
interface Step {
  op: number;
  on: number;
  choices: readonly number[];
}

interface Sample {
  shape: Shape;
  seed: number;
  steps: readonly Step[];
}

const byName = (name: string) => cases.find((c) => c.name === name)!;

/** What compositions are made of: cosineEmbeddingLoss has two rows, of which one is for rows that hardly differ. */
const composable = cases.filter(({ backward, name }) => backward !== null && !name.endsWith("parallel"));

/** Numbers beyond would be about overflow, which other tests are about. */
const LARGEST = 1e3;

/** The program of a sample. A step whose op takes none of the values there are is left out. */
export class Program {
  readonly items: Item[] = [];
  /** The values of all items, in float64. */
  readonly values: Nd[] = [];

  constructor(sample: Sample) {
    this.leaf({
      data: leafData(sample.shape, sample.seed),
      input: byName("identity").inputs[0]!,
      requiresGrad: true,
    });
    for (const [i, { op, on, choices }] of sample.steps.entries()) {
      const c = composable[op % composable.length]!;
      const place = this.items.length - 1 - (on % this.items.length);
      this.step(c, place, new Choices(choices), sample.seed + 97 * (i + 1));
    }
  }

  private leaf(leaf: Leaf): number {
    this.values.push(leaf.data);
    return this.items.push(leaf) - 1;
  }

  /** Adds an op, unless its result is not finite or too large; returns its place. */
  private add(c: Case, variant: RandomVariant, inputs: readonly number[]): number | undefined {
    const y = c.expected(
      inputs.map((i) => this.values[i]!),
      variant,
    );
    if (!y.data.every((v) => Math.abs(v) < LARGEST)) return undefined;
    this.values.push(y);
    return this.items.push({ c, variant, inputs }) - 1;
  }

  private step(c: Case, place: number, choices: Choices, seed: number): void {
    const kept = this.items.length;
    const variant = variantFor(c, this.values[place]!.shape, choices);
    if (variant === undefined || !this.isFloat(place)) return;
    const inputs = variant.shapes.map((_, i): number | undefined => {
      if (i === (variant.given ?? 0)) return this.fitting(place, c.inputs[i]!);
      const known = choices.yes() ? this.alike(variant.shapes[i]!, c.inputs[i]!) : undefined;
      return known ?? this.fresh(c, variant, i, seed, choices.below(4) < 3);
    });
    if (inputs.every((i) => i !== undefined) && this.add(c, variant, inputs) !== undefined) return;
    this.items.length = this.values.length = kept;
  }

  private isFloat(place: number): boolean {
    const item = this.items[place]!;
    return !isLeaf(item) || item.input.dtype === "f32";
  }

  private fresh(c: Case, variant: RandomVariant, i: number, seed: number, learns: boolean): number {
    const input = c.inputs[i]!;
    return this.leaf({
      data: dataFor(c, variant, i, seed),
      input,
      requiresGrad: learns && input.differentiable,
    });
  }

  /** The latest value of the shape that the input takes as it is. */
  private alike(shape: Shape, input: Input): number | undefined {
    const place = this.values.findLastIndex(
      (v, i) => this.isFloat(i) && String(v.shape) === String(shape) && v.data.every(input.accepts),
    );
    return place < 0 || !input.differentiable ? undefined : place;
  }

  /** The value as it is where the input takes it, else drawn into the interval by softsign. */
  private fitting(place: number, input: Input): number | undefined {
    const { shape, data } = this.values[place]!;
    if (data.every(input.accepts)) return place;
    if (input.interval === undefined || input.dtype === "i32") return undefined;
    const [low, high] = input.interval;
    const [half, middle] = [(high - low) / 2, (high + low) / 2];
    const small = this.add(byName("softsign"), { shapes: [shape], args: [] }, [place])!;
    const wide = this.add(byName("mul"), { shapes: [shape], args: [half] }, [small])!;
    const fit = this.add(byName("add"), { shapes: [shape], args: [middle] }, [wide])!;
    return this.values[fit]!.data.every(input.accepts) ? fit : undefined;
  }

  /** Where leaves are that a gradient is formed for, and that the result depends on. */
  get learning(): number[] {
    const behind = new Set([this.items.length - 1]);
    for (let i = this.items.length - 1; i >= 0; i--) {
      const item = this.items[i]!;
      if (behind.has(i) && !isLeaf(item)) for (const j of item.inputs) behind.add(j);
    }
    return [...this.items.keys()].filter((i) => {
      const item = this.items[i]!;
      return behind.has(i) && isLeaf(item) && item.requiresGrad;
    });
  }

  /** The result in float64, with one value in place of the program's own, and every op's result nudged. */
  evaluate(place: number, instead: Nd, nudge?: (y: Nd, item: number, exact: boolean) => Nd): Nd {
    const values = [...this.values];
    const changed = new Set([place]);
    values[place] = instead;
    for (const [i, item] of this.items.entries()) {
      if (isLeaf(item) || !(nudge !== undefined || item.inputs.some((j) => changed.has(j)))) continue;
      const y = item.c.expected(
        item.inputs.map((j) => values[j]!),
        item.variant,
      );
      values[i] = nudge?.(y, i, item.c.forward.ulp === 0) ?? y;
      changed.add(i);
    }
    return values.at(-1)!;
  }

  /** Tensors of the leaves, in their order. */
  leaves(requiresGrad = true): Map<number, Tensor> {
    const made = new Map<number, Tensor>();
    for (const [i, item] of this.items.entries()) {
      if (!isLeaf(item)) continue;
      const { data, input } = item;
      const learns = requiresGrad && item.requiresGrad;
      made.set(i, tensor(data.data, { shape: data.shape, dtype: input.dtype, requiresGrad: learns }));
    }
    return made;
  }

  /** The result of the ops on such tensors; `apply` leaves the generator of random numbers as it is. */
  run(leaves: ReadonlyMap<number, Tensor>, how: "run" | "apply" = "run"): Tensor {
    const values: Tensor[] = [];
    for (const [i, item] of this.items.entries()) {
      const inputs = isLeaf(item) ? [] : item.inputs.map((j) => values[j]!);
      values.push(isLeaf(item) ? leaves.get(i)! : item.c[how](inputs, item.variant));
    }
    return values.at(-1)!;
  }

  /** A line for each item; fast-check prints it. */
  [fc.toStringMethod](): string {
    const lines = this.items.map((item, i) =>
      isLeaf(item)
        ? `%${i} = ${item.requiresGrad ? "leaf" : "constant"} [${item.data.shape}] ${[...item.data.data].join(" ")}`
        : `%${i} = ${item.c.name}(${item.inputs.map((j) => `%${j}`).join(", ")}) ${title(item.variant)}`,
    );
    return `\n${lines.join("\n")}\n`;
  }
}

/** A gradient to start from, one number for each element of a result. */
export function upstream({ shape, data }: Nd, seed = 1): Nd {
  const random = numbers(seed);
  return nd(
    shape,
    data.map(() => Math.fround(3 * random() - 1.5)),
  );
}

function leafData(shape: Shape, seed: number): Nd {
  const random = numbers(seed);
  const size = shape.reduce((a, b) => a * b, 1);
  return nd(
    shape,
    Float64Array.from({ length: size }, () => Math.fround(4 * random() - 2)),
  );
}

const choices = fc.array(fc.nat(59), { minLength: 10, maxLength: 10 });
export const seeds = fc.integer({ min: 1, max: 2 ** 31 - 2 ** 20 });
export const shapes = (max = 3, largest = 4, min = 0) =>
  fc.array(fc.integer({ min: 1, max: largest }), { minLength: min, maxLength: max });

/** Programs of up to so many ops. */
export function programs(ops: number, shape: fc.Arbitrary<Shape> = shapes()): fc.Arbitrary<Program> {
  const step = fc.record({ op: fc.nat(9999), on: fc.constantFrom(0, 0, 0, 1, 2, 3), choices });
  const sample = fc.record({ shape, seed: seeds, steps: fc.array(step, { minLength: 2, maxLength: ops }) });
  return sample.map((s) => new Program(s));
}

/** A case of the table with a random variant of it. */
export class Single {
  readonly data: Nd[];

  constructor(
    readonly c: Case,
    readonly variant: RandomVariant,
    seed: number,
  ) {
    this.data = variant.shapes.map((_, i) => dataFor(c, variant, i, seed));
  }

  /** Tensors of the data, which require gradients where there can be any. */
  readonly inputs = (): Tensor[] => tensors(this.c, this.data, { requiresGrad: true });

  [fc.toStringMethod](): string {
    const data = this.data.map((x) => [...x.data].join(" ")).join("\n");
    return `\n${this.c.name} ${title(this.variant)}\n${data}\n`;
  }
}

/** Random variants of a case. */
export function singles(c: Case, shape: fc.Arbitrary<Shape>): fc.Arbitrary<Single> {
  return fc
    .record({ shape, choices, seed: seeds })
    .map(({ shape, choices, seed }) => {
      const variant = variantFor(c, shape, new Choices(choices));
      return variant && new Single(c, variant, seed);
    })
    .filter((single) => single !== undefined);
}
