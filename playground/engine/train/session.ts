import type { Compiled, Dataset, Finding, LayerHealth, PlanBatches, Sequential, Tensor } from "nablas";
import * as nablas from "nablas";
import type { DataSpec, Live, Spec } from "../../panels/train/spec";
import { pointsOf } from "./data";
import { build, LOSS, type Loss, optimizerFor, shares, targetsFor } from "./network";
import { gridPoints, sideFor } from "./view";

/** A point as it is used: to train, or to test. */
export interface ShownPoint {
  x: number;
  y: number;
  label: number;
  test: boolean;
}

/** How the network does on some points. */
export interface Score {
  loss: number;
  accuracy: number;
}

export interface Health {
  findings: readonly Finding[];
  layers: readonly LayerHealth[];
}

/** Rows in linear memory. */
interface Rows {
  x: Tensor;
  y: Tensor;
  labels: Int32Array;
}

const TEST_SHARE = 0.25;

/** A network in training, and its data. */
export class Session {
  readonly model: Sequential;
  steps = 0;
  points: readonly ShownPoint[] = [];
  private readonly optimizer: ReturnType<typeof optimizerFor>;
  private readonly loss: Loss;
  private readonly step: Compiled<[Tensor, Tensor], Tensor>;
  private readonly answers: Compiled<[Tensor], Tensor>;
  private readonly scores: Compiled<[Tensor, Tensor], { scores: Tensor; loss: Tensor }>;
  private batches: PlanBatches<Tensor> | undefined;
  private grid!: Tensor;
  private train!: Rows;
  private test!: Rows;

  /** @throws ShapeError or OptionError for layers that do not fit, what loadCheckpoint throws for another's state */
  constructor(
    private spec: Spec,
    saved?: Uint8Array,
  ) {
    nablas.manualSeed(spec.data.seed);
    this.model = build(spec);
    this.optimizer = optimizerFor(this.model, spec);
    this.loss = LOSS[spec.loss];
    const { model, optimizer, loss } = this;
    this.step = nablas.compile((x: Tensor, y: Tensor) => {
      const value = loss(model.forward(x), y);
      optimizer.zeroGrad();
      value.backward();
      optimizer.step();
      return value;
    });
    this.answers = nablas.compile((x: Tensor) => nablas.noGrad(() => shares(spec, model.forward(x))));
    this.scores = nablas.compile((x: Tensor, y: Tensor) =>
      nablas.noGrad(() => {
        const scores = model.forward(x);
        return { scores, loss: loss(scores, y) };
      }),
    );
    this.exchange(spec.data);
    if (saved !== undefined) this.load(saved);
    this.tune(spec.live);
  }

  /** Other points for the same network. */
  exchange(data: DataSpec): void {
    const { side } = this;
    const points = pointsOf(data);
    const counts: number[] = [];
    // Each class has its share in the test, in the order in which its points came.
    this.points = points.map((point) => {
      const before = counts[point.label] ?? 0;
      counts[point.label] = before + 1;
      return { ...point, test: before % (1 / TEST_SHARE) === 1 / TEST_SHARE - 1 };
    });
    this.spec = { ...this.spec, data };
    const old = [this.train, this.test].flatMap((rows) => (rows === undefined ? [] : [rows.x, rows.y]));
    for (const tensor of [...old, ...(this.grid === undefined ? [] : [this.grid])]) tensor.dispose();
    this.batches?.dispose();
    this.train = this.rows(this.points.filter(({ test }) => !test));
    this.test = this.rows(this.points.filter(({ test }) => test));
    this.grid = nablas.tensor(gridPoints(side, data.scale), { shape: [side * side, 2] });
    this.batches = points.length === 0 ? undefined : this.step.over(this.dataset(), this.batchOptions());
  }

  /** Makes steps: so many, or as many as there are within some milliseconds. Returns the mean of their losses. */
  run({
    steps = Number.POSITIVE_INFINITY,
    ms = Number.POSITIVE_INFINITY,
  }: {
    steps?: number;
    ms?: number;
  }): number {
    const end = performance.now() + ms;
    let [sum, made] = [0, 0];
    while (this.batches !== undefined && made < steps && (made === 0 || performance.now() < end)) {
      sum += this.batches.run().item();
      made++;
      if (!Number.isFinite(sum)) break;
    }
    this.steps += made;
    return sum / made;
  }

  /** What changes without starting anew. */
  tune({ lr, momentum, l2, l1 }: Live): void {
    for (const group of this.optimizer.groups) {
      Object.assign(group, { lr, weightDecay: l2, l1 });
      if ("momentum" in group) group.momentum = momentum;
    }
  }

  get epochs(): number {
    const { batches } = this;
    return batches === undefined ? 0 : batches.epoch + batches.batch / batches.batches;
  }

  /** Of the picture, in cells. */
  get side(): number {
    return sideFor(this.model.parameters().reduce((sum, { size }) => sum + size, 0));
  }

  /** Shares of the classes in the cells of the picture, [side², classes]. */
  picture(): Float32Array {
    return this.evaluating(() => this.answers(this.grid).data.slice() as Float32Array);
  }

  /** How the network does on what it has and on what it has not seen; null without points. */
  measure(part: "train" | "test"): Score | null {
    const { x, y, labels } = this[part];
    if (labels.length === 0) return null;
    return this.evaluating(() => {
      const { scores, loss } = this.scores(x, y);
      return { loss: loss.item(), accuracy: nablas.accuracy(scores, labels) };
    });
  }

  /** What is wrong, by a forward and a backward pass over the points to train on, and by the order of the layers. */
  health(): Health {
    const { model, loss, train, spec } = this;
    if (train.labels.length === 0) return { findings: [], layers: [] };
    const { findings, layers } = nablas.diagnose(model, train.x, train.y, loss, { lr: spec.live.lr });
    const known = new Set(findings.map(({ code, layer }) => `${code} ${layer}`));
    const linted = nablas.lint(model, loss).filter(({ code, layer }) => !known.has(`${code} ${layer}`));
    const all = [...findings, ...linted];
    // What is said of weights as they start is true of those alone.
    return { findings: this.steps === 0 ? all : all.filter(({ code }) => code !== "bad-init"), layers };
  }

  /** All of it, for `saved`. */
  save(): Uint8Array {
    const { model, optimizer, batches, steps } = this;
    return nablas.saveCheckpoint({ model, optimizer, steps, ...(batches && { batches }) });
  }

  dispose(): void {
    for (const compiled of [this.step, this.answers, this.scores]) compiled.dispose();
    this.batches?.dispose();
    this.optimizer.dispose();
    this.model.dispose();
    for (const tensor of [this.grid, this.train.x, this.train.y, this.test.x, this.test.y]) tensor.dispose();
  }

  private load(saved: Uint8Array): void {
    const { model, optimizer, batches } = this;
    const { steps } = nablas.loadCheckpoint(saved, { model, optimizer, ...(batches && { batches }) });
    this.steps = Number(steps);
  }

  private rows(points: readonly ShownPoint[]): Rows {
    const { scale, classes } = this.spec.data;
    const x = Float32Array.from({ length: 2 * points.length }, (_, i) => {
      const point = points[i >> 1]!;
      return scale * (i % 2 === 0 ? point.x : point.y);
    });
    const labels = Int32Array.from(points, ({ label }) => label);
    const shape = [points.length, 2];
    return { x: nablas.tensor(x, { shape }), y: targetsFor(this.spec.loss, labels, classes), labels };
  }

  private dataset(): Dataset {
    return nablas.dataset(this.train.x, this.train.y);
  }

  private batchOptions() {
    // A batch of the rows that are left over may be one: too few for statistics.
    const batchSize = Math.min(this.spec.batchSize, this.train.labels.length);
    return { batchSize, seed: this.spec.data.seed, dropLast: true };
  }

  private evaluating<T>(fn: () => T): T {
    this.model.eval();
    try {
      return fn();
    } finally {
      this.model.train();
    }
  }
}
