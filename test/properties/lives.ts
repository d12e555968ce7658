// A model of what lives in memory: what is made where, and what frees it.
import { expect } from "vitest";
import { DisposedError, memory, type Tensor } from "../../src/index";

/** Memory that several tensors may share. */
interface Cell {
  values: number[];
  bytes: number;
  users: number;
}

/** What goes back from a result: the gradient of each input, given that of the result. */
type Rule = (dy: readonly number[]) => (readonly number[])[];

export interface Recorded {
  order: number;
  inputs: readonly Life[];
  back: Rule;
  released: boolean;
  leftovers: Life[];
}

/** A tensor, or a buffer that an op keeps for its way back. */
export interface Life {
  tensor: Tensor | undefined;
  cell: Cell;
  alive: boolean;
  learns: boolean;
  grad: Life | undefined;
  /** The memory of a gradient that was cleared. */
  spare: Life | undefined;
  recorded: Recorded | undefined;
  /** What the op keeps beside tensors. */
  kept: Life | undefined;
  region: Set<Life> | undefined;
  consumed: boolean;
}

const held = () => ({ bytes: memory().bytes, tensors: memory().tensors });

export class World {
  readonly lives: Life[] = [];
  /** What frees what is made now, and what is recorded now: as in src/scope.ts. */
  private innermost: Set<Life> | undefined;
  private scope: Set<Life> | undefined;
  private recording = true;
  private order = 0;
  private readonly start = held();

  private life(values: readonly number[], shared?: Cell): Life {
    const bytes = Math.ceil(values.length / 4) * 16;
    const cell = shared ?? { values: values.map(Math.fround), bytes, users: 0 };
    cell.users++;
    const life: Life = {
      tensor: undefined,
      cell,
      alive: true,
      learns: false,
      grad: undefined,
      spare: undefined,
      recorded: undefined,
      kept: undefined,
      region: undefined,
      consumed: false,
    };
    this.lives.push(life);
    return life;
  }

  private put(life: Life, region: Set<Life> | undefined): void {
    life.region?.delete(life);
    life.region = region;
    region?.add(life);
  }

  /** A leaf. */
  make(tensor: Tensor, values: readonly number[], learns: boolean): void {
    const life = this.life(values);
    Object.assign(life, { tensor, learns });
    this.put(life, this.innermost);
  }

  /** The result of an op; `back` is missing where none is recorded. */
  result(tensor: Tensor, values: readonly number[], inputs: readonly Life[], op: ResultOptions = {}): void {
    const life = this.life(values, op.shares);
    life.tensor = tensor;
    const { back } = op;
    if (back === undefined || !this.recording || !inputs.some((x) => x.learns || x.recorded)) {
      this.put(life, this.innermost);
      return;
    }
    for (const x of inputs) if (!x.recorded) x.consumed = true;
    life.recorded = { order: this.order++, inputs, back, released: false, leftovers: [] };
    this.put(life, this.scope);
    if (op.keeps === undefined) return;
    life.kept = this.life([op.keeps]);
    this.put(life.kept, this.scope);
  }

  free(life: Life): void {
    if (!life.alive) return;
    life.alive = false;
    life.cell.users--;
    this.put(life, undefined);
  }

  dispose(life: Life): void {
    this.free(life);
    if (life.grad) this.dispose(life.grad);
    if (life.spare) this.free(life.spare);
  }

  /** The gradient is cleared: its tensor ends, and its memory stays unless a view has it, or the caller gives it back. */
  clear(life: Life, gives: boolean): void {
    const { grad } = life;
    if (grad?.alive) {
      this.free(grad);
      if (grad.cell.users === 0) {
        life.spare = this.life(grad.cell.values, grad.cell);
        this.put(life.spare, life.region);
      }
    }
    life.grad = undefined;
    if (!gives || !life.spare) return;
    this.free(life.spare);
    life.spare = undefined;
  }

  /** The recorded results behind `root`, newest first. */
  behind(root: Life): Life[] {
    const all = root.recorded ? [root] : [];
    for (const life of all) {
      for (const x of life.recorded!.inputs) if (x.recorded && !all.includes(x)) all.push(x);
    }
    return all.sort((a, b) => b.recorded!.order - a.recorded!.order);
  }

  /** Whether something on the way back from `root` is gone, so that going back may be refused. */
  broken(root: Life): boolean {
    if (!root.alive || !(root.learns || root.recorded)) return true;
    return this.behind(root).some(
      (life) =>
        life.recorded!.released ||
        !life.alive ||
        life.kept?.alive === false ||
        life.recorded!.inputs.some((x) => !x.alive),
    );
  }

  /** Whether a pass back from `root` reads a gradient that it also adds to. */
  readsGradients(root: Life): boolean {
    const read = this.behind(root).flatMap((life) => life.recorded!.inputs);
    const added = new Set([root, ...read].map((x) => x.learns && x.grad?.cell));
    return read.some(({ cell }) => added.has(cell));
  }

  /** The gradients of leaves that a pass back from `root` adds. */
  gradients(root: Life): Map<Life, number[]> {
    const sums = new Map<Life, number[]>([[root, root.cell.values.map(() => 1)]]);
    for (const life of this.behind(root)) {
      const parts = life.recorded!.back(sums.get(life)!);
      for (const [i, x] of life.recorded!.inputs.entries()) {
        const before = sums.get(x);
        sums.set(x, before ? before.map((v, k) => v + parts[i]![k]!) : [...parts[i]!]);
      }
    }
    return new Map([...sums].filter(([x]) => x.learns));
  }

  /** A pass back from `root` has been made. */
  wentBack(root: Life, gradients: Map<Life, number[]>, retain: boolean): void {
    for (const [x, sum] of gradients) {
      if (!x.grad?.alive) {
        if (x.spare) this.free(x.spare);
        x.spare = undefined;
        x.grad = this.life(sum.map(() => 0));
        x.grad.tensor = x.tensor!.grad!;
        this.put(x.grad, x.region);
      }
      const { cell } = x.grad;
      cell.values = cell.values.map((v, k) => v + sum[k]!);
    }
    if (retain) return;
    for (const life of this.behind(root)) {
      if (life !== root) this.free(life);
      if (life.kept) this.free(life.kept);
      for (const left of life.recorded!.leftovers) this.free(left);
      Object.assign(life.recorded!, { released: true, inputs: [], leftovers: [] });
    }
  }

  /** Runs `body` as a scope does; what it gives is kept. */
  inScope(run: (body: () => void) => unknown, body: () => readonly Life[]): void {
    const [made, innermost, scope] = [new Set<Life>(), this.innermost, this.scope];
    try {
      let kept: readonly Life[] = [];
      run(() => {
        [this.innermost, this.scope] = [made, made];
        try {
          kept = body();
        } finally {
          [this.innermost, this.scope] = [innermost, scope];
        }
      });
      this.keep(kept, made);
    } finally {
      for (const life of made) this.free(life);
    }
  }

  /** Runs `body` as the forward pass of a module. */
  inModule(run: (body: () => void) => unknown, body: () => readonly Life[]): void {
    const [made, outer] = [new Set<Life>(), this.innermost];
    try {
      let result: readonly Life[] = [];
      run(() => {
        this.innermost = made;
        try {
          result = body();
        } finally {
          this.innermost = outer;
        }
      });
      this.keep(result, made);
      const [first, ...others] = result.filter((life) => life.recorded);
      if (first === undefined) return;
      if (others.length === 0) first.recorded!.leftovers.push(...[...made].filter((life) => life.consumed));
      for (const life of made) this.put(life, outer);
    } finally {
      for (const life of made) this.free(life);
    }
  }

  unrecorded(body: () => void): void {
    const before = this.recording;
    this.recording = false;
    try {
      body();
    } finally {
      this.recording = before;
    }
  }

  private keep(kept: readonly Life[], made: Set<Life>): void {
    for (const life of kept) {
      if (life.region === made) this.put(life, this.innermost);
      this.keep(
        [life.grad, life.spare].filter((own) => own !== undefined),
        made,
      );
    }
  }

  /** What lives has its values and a place of its own, what does not says so, and `memory` counts them. */
  check(): void {
    const alive = this.lives.filter((life) => life.alive);
    const cells = new Set(alive.map(({ cell }) => cell));
    const bytes = [...cells].reduce((sum, cell) => sum + cell.bytes, this.start.bytes);
    expect(held()).toEqual({ bytes, tensors: this.start.tensors + alive.length });
    const places = new Map<Cell, number>();
    for (const life of this.lives) {
      if (life.tensor === undefined) continue;
      const seen = read(life.tensor);
      const wanted = life.alive ? String(life.cell.values) : "freed";
      if (seen !== wanted) throw new Error(`expected ${wanted}, got ${seen}`);
      if (life.alive) places.set(life.cell, life.tensor.buffer.ptr);
    }
    const ranges = [...places].map(([{ bytes }, at]) => ({ at, end: at + bytes }));
    ranges.sort((a, b) => a.at - b.at);
    for (const [i, { at }] of ranges.entries()) {
      if (i > 0 && at < ranges[i - 1]!.end) throw new Error(`two buffers overlap at ${at}`);
    }
  }
}

function read(t: Tensor): string {
  try {
    return String(t.data);
  } catch (error) {
    if (error instanceof DisposedError) return "freed";
    throw error;
  }
}

export interface ResultOptions {
  back?: Rule;
  /** The memory that the result shares. */
  shares?: Cell;
  /** A number that the op keeps as a buffer. */
  keeps?: number;
}
