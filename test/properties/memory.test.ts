import fc from "fast-check";
import { expect, test } from "vitest";
import {
  DisposedError,
  GraphError,
  Module,
  memory,
  NablasError,
  noGrad,
  scope,
  type Tensor,
  tensor,
} from "../../src/index";
import { type Life, type ResultOptions, World } from "./lives";
import { often } from "./samples";

type Command =
  | { do: "make"; size: number; learns: boolean }
  | { do: keyof typeof OPS; a: number; b: number }
  | { do: "write"; a: number }
  | { do: "dispose" | "zeroGrad" | "forget"; a: number }
  | { do: "backward"; a: number; retainGraph: boolean }
  | { do: "scope" | "module" | "noGrad"; body: Command[]; keep: number[]; throws: number };

type Op = [
  run: (a: Tensor, b: Tensor) => Tensor,
  values: (a: number, b: number) => number,
  options: (a: Life, b: Life) => ResultOptions,
];

/** Ops on whole numbers, so that nothing is rounded. They read for the way back what they had for operands. */
const OPS = {
  add: [(a, b) => a.add(b), (a, b) => a + b, () => ({ back: (dy) => [dy, dy] })],
  mul: [
    (a, b) => a.mul(b),
    (a, b) => a * b,
    (a, b) => ({
      back: (dy) => [dy.map((v, i) => v * b.cell.values[i]!), dy.map((v, i) => v * a.cell.values[i]!)],
    }),
  ],
  triple: [(a) => a.mul(3), (a) => 3 * a, () => ({ back: (dy) => [dy.map((v) => 3 * v)], keeps: 3 })],
  square: [
    (a) => a.square(),
    (a) => a * a,
    (a) => ({ back: (dy) => [dy.map((v, i) => 2 * v * a.cell.values[i]!)] }),
  ],
  clone: [(a) => a.clone(), (a) => a, () => ({ back: (dy) => [dy] })],
  view: [(a) => a.reshape([-1]), (a) => a, (a) => ({ back: (dy) => [dy], shares: a.cell })],
  detach: [(a) => a.detach(), (a) => a, (a) => ({ shares: a.cell })],
} satisfies Record<string, Op>;

const BINARY = ["add", "mul"];

/** Numbers beyond are not exact in float32. */
const EXACT = 2 ** 22;

/** From this on a number stands for any tensor, be it freed. */
const ANY = 7;

/** Leaves so many blocks. */
class Thrown extends Error {
  constructor(readonly blocks: number) {
    super("thrown");
  }
}

class Body extends Module {
  constructor(private readonly body: () => unknown) {
    super();
  }

  forward(): Tensor {
    return this.body() as Tensor;
  }
}

class Run {
  readonly world = new World();
  private written = 0;

  run(commands: readonly Command[]): void {
    for (const command of commands) {
      this.one(command);
      this.world.check();
    }
  }

  /** One of the tensors, counted from the latest: of those that live, or for the largest numbers of all. */
  private life(n: number, wanted: (life: Life) => boolean = () => true): Life | undefined {
    const tensors = this.world.lives.filter((life) => life.tensor !== undefined && (n >= ANY || life.alive));
    const some = tensors.filter(wanted);
    const list = some.length > 0 ? some : tensors;
    return list[list.length - 1 - (n % list.length)];
  }

  private one(command: Command): void {
    const { world } = this;
    if (command.do === "make") {
      const { size, learns } = command;
      const values = Array.from({ length: size }, (_, i) => ((3 * i + this.written++) % 7) - 3);
      world.make(tensor(values, { requiresGrad: learns }), values, learns);
      return;
    }
    if ("body" in command) {
      this.block(command);
      return;
    }
    const goesBack = command.do === "backward" && command.a % 4 > 0;
    const a = this.life(command.a, (life) => !goesBack || life.recorded?.released === false);
    if (a === undefined) return;
    switch (command.do) {
      case "write":
        if (!a.alive) return;
        a.tensor!.data[0] = a.cell.values[0] = (this.written++ % 5) - 2;
        return;
      case "dispose":
        a.tensor!.dispose();
        world.dispose(a);
        return;
      case "zeroGrad":
        a.tensor!.zeroGrad();
        world.clear(a, false);
        return;
      case "forget":
        a.tensor!.grad = null;
        world.clear(a, true);
        return;
      case "backward":
        this.backward(a, command.retainGraph);
        return;
      default:
        this.op(command.do, a, this.life(command.b, (life) => life.tensor!.size === a.tensor!.size) ?? a);
    }
  }

  private op(name: keyof typeof OPS, a: Life, b: Life): void {
    const [run, values, options] = OPS[name] as Op;
    const inputs = BINARY.includes(name) ? [a, b] : [a];
    const [x, y] = [a.tensor!, b.tensor!];
    const dead = inputs.some(({ alive }) => !alive);
    if (dead || (inputs.includes(b) && x.size !== y.size)) {
      expect(() => run(x, y)).toThrow(dead ? NablasError : /do not broadcast/);
      return;
    }
    const result = a.cell.values.map((v, i) => values(v, b.cell.values[i] ?? 0));
    if (result.some((v) => Math.abs(v) > 1000)) return;
    this.world.result(run(x, y), result, inputs, options(a, b));
  }

  private backward(root: Life, retainGraph: boolean): void {
    const { world } = this;
    const t = root.tensor!;
    const broken = world.broken(root);
    const gradients = root.learns || root.recorded ? world.gradients(root) : new Map<Life, number[]>();
    for (const [x, sum] of gradients) {
      if (sum.some((v, i) => Math.abs(v + (x.grad?.cell.values[i] ?? 0)) > EXACT)) return;
    }
    // What it reads depends on the order of its ops, here and in PyTorch, which calls it an error.
    if (world.readsGradients(root)) return;
    const before = memory();
    const gradient = noGrad(() => tensor(new Float32Array(t.size).fill(1), { shape: t.shape }));
    try {
      t.backward({ gradient, retainGraph });
      gradient.dispose();
    } catch (error) {
      gradient.dispose();
      if (!broken || !(error instanceof DisposedError || error instanceof GraphError)) throw error;
      expect(memory()).toEqual(before);
      return;
    }
    world.wentBack(root, gradients, retainGraph);
  }

  private block({ do: kind, body, keep, throws }: Extract<Command, { body: unknown }>): void {
    const { world } = this;
    let given: Life[] = [];
    const run = () => {
      this.run(body);
      if (throws > 0) throw new Thrown(throws);
      given = keep.map((n) => this.life(n)).filter((life) => life !== undefined);
      return given;
    };
    const within = (inner: () => void) => () => {
      inner();
      return given.map((life) => life.tensor!);
    };
    try {
      if (kind === "noGrad") world.unrecorded(() => noGrad(within(run)));
      else if (kind === "scope") world.inScope((inner) => scope(within(inner)), run);
      else world.inModule((inner) => new Body(within(inner)).forward(), run);
    } catch (error) {
      if (!(error instanceof Thrown)) throw error;
      if (error.blocks > 1) throw new Thrown(error.blocks - 1);
    }
  }
}

const place = fc.nat(ANY + 1);
const { commands } = fc.letrec<{ command: Command; commands: Command[] }>((tie) => ({
  command: fc.oneof(
    { withCrossShrink: true },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constant("make" as const),
        size: fc.constantFrom(3, 3, 3, 5, 300),
        learns: fc.constantFrom(true, true, false),
      }),
    },
    {
      weight: 9,
      arbitrary: fc.record({
        do: fc.constantFrom(...(Object.keys(OPS) as (keyof typeof OPS)[])),
        a: place,
        b: place,
      }),
    },
    { weight: 1, arbitrary: fc.record({ do: fc.constant("write" as const), a: place }) },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom("dispose" as const, "dispose" as const, "zeroGrad" as const, "forget" as const),
        a: place,
      }),
    },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constant("backward" as const), a: place, retainGraph: fc.boolean() }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        do: fc.constantFrom("scope" as const, "module" as const, "noGrad" as const),
        body: tie("commands"),
        keep: fc.array(place, { maxLength: 2 }),
        throws: fc.constantFrom(0, 0, 0, 1, 2),
      }),
    },
  ),
  commands: fc.array(tie("command"), { maxLength: 9, size: "max", depthIdentifier: "blocks" }),
}));
const programs = fc.array(commands, { minLength: 1, maxLength: 4, size: "max" }).map((lists) => lists.flat());

/** Runs commands; an error that leaves more blocks than there are ends them. */
function attempt(run: () => void): void {
  try {
    run();
  } catch (error) {
    if (!(error instanceof Thrown)) throw error;
  }
}

test("in any order, what is freed is freed once, what lives keeps its values, and a scope loses nothing", () => {
  const check = fc.property(programs, (commands) => {
    const run = new Run();
    const { world } = run;
    world.inScope(
      (inner) => scope(inner),
      () => {
        attempt(() => run.run(commands));
        return [];
      },
    );
    expect(world.lives.some(({ alive }) => alive)).toBe(false);
    world.check();
  });
  fc.assert(check, often(300));
});

test("at top level dispose gives back all but what graphs keep that were not walked", () => {
  const check = fc.property(programs, (commands) => {
    const run = new Run();
    const { world } = run;
    attempt(() => run.run(commands));
    const kept = new Set(world.lives.map((life) => life.kept));
    for (const life of world.lives) {
      life.tensor?.dispose();
      if (life.tensor !== undefined) world.dispose(life);
    }
    expect(world.lives.every((life) => !life.alive || kept.has(life))).toBe(true);
    world.check();
  });
  fc.assert(check, often(300));
});
