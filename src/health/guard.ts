import { NablasError, NonFiniteError } from "../errors";
import { loadCheckpoint, type Stateful, saveCheckpoint } from "../io/checkpoint";
import type { AnyModule } from "../nn/module";
import { Budget } from "../pace";
import { eager } from "../recording";
import type { Tensor } from "../tensor";
import { nonFinite } from "./nonFinite";
import type { Finding } from "./report";
import { statistics } from "./statistics";
import { Trace } from "./trace";

/** Share of the time by the clock; collecting the garbage, which comes later, can take as much again. */
const SHARE = 0.005;

type Step = (x: Tensor, y: Tensor) => Tensor;

/** Keeps a checkpoint of a model whose numbers are finite, and says where they ceased to be. */
export class Guard {
  private readonly budget = new Budget(SHARE);
  private checkpoint: Uint8Array | undefined;

  /** What goes back to the checkpoint at an end. */
  private readonly parts: Readonly<Record<string, Stateful>>;

  constructor(
    private readonly model: AnyModule | undefined,
    optimizer: Stateful | undefined,
    private readonly training: Stateful,
  ) {
    this.parts = { ...(model && { model }), ...(optimizer && { optimizer }) };
  }

  /** Makes a checkpoint, if there is a model to make one of and the last is some time ago. */
  keep(): void {
    const { model, parts, training, budget } = this;
    if (model === undefined || !budget.due()) return;
    budget.spend(() => {
      if (hasFinite(model)) this.checkpoint = saveCheckpoint({ ...parts, training });
    });
  }

  /** The error for a loss that is not finite. Leaves model and optimizer, if known, as they were in the checkpoint. */
  stop(loss: number, step: Step, x: Tensor, y: Tensor, where: string): NonFiniteError {
    const finding = nonFinite(new Trace(), { inputs: x, targets: y }) ?? this.replay(step, x, y);
    this.restore();
    const unknown =
      this.checkpoint === undefined
        ? "pass { model } to learn where it arose, or lower the learning rate"
        : "with the weights of the last good checkpoint it would be finite: they have grown too large since; lower the " +
          "learning rate, or clip the gradients by clipGradNorm";
    const blame = finding?.advice ?? unknown;
    return new NonFiniteError(`fit: the loss is ${loss} in ${where}; ${blame}`, finding, this.checkpoint);
  }

  /** What is not finite when the step is made once more from the last good checkpoint. */
  private replay(step: Step, x: Tensor, y: Tensor): Finding | undefined {
    if (!this.restore()) return undefined;
    const trace = new Trace();
    try {
      trace.run(() => eager(step)(x, y));
    } catch (error) {
      if (!(error instanceof NablasError)) throw error;
    }
    return nonFinite(trace, { inputs: x, targets: y });
  }

  private restore(): boolean {
    if (this.checkpoint === undefined) return false;
    loadCheckpoint(this.checkpoint, this.parts);
    return true;
  }
}

/** Whether all parameters are finite. */
function hasFinite(model: AnyModule): boolean {
  return model.parameters().every(({ ptr, shape }) => statistics(ptr, shape).nonFinite === undefined);
}
