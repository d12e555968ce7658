import type { Frame } from "../../engine/train/index";

/** Points that a curve has at most; beyond, every other one goes. */
const MOST = 400;

/** Curves over steps; what is no finite number is null. */
export class History {
  steps: number[] = [];
  readonly loss: Record<"train" | "test", (number | null)[]> = { train: [], test: [] };
  /** By the layer. */
  gradients: (number | null)[][] = [];
  private every = 1;
  private seen = 0;

  add({ steps, train, test, layers }: Frame): void {
    if (this.steps.at(-1) === steps || this.seen++ % this.every !== 0) return;
    this.steps.push(steps);
    this.loss.train.push(finite(train?.loss));
    this.loss.test.push(finite(test?.loss));
    layers.forEach((layer, i) => {
      this.gradients[i] ??= new Array<null>(this.steps.length - 1).fill(null);
      this.gradients[i].push(finite(layer?.gradientNorm));
    });
    if (this.steps.length > MOST) this.thin();
  }

  private thin(): void {
    const half = <T>(values: T[]) => values.filter((_, i) => i % 2 === 0);
    this.steps = half(this.steps);
    this.loss.train = half(this.loss.train);
    this.loss.test = half(this.loss.test);
    this.gradients = this.gradients.map(half);
    this.every *= 2;
  }
}

function finite(x: number | undefined): number | null {
  return x !== undefined && Number.isFinite(x) ? x : null;
}
