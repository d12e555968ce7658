import { withGrad } from "../autograd";
import { full } from "../create";
import { DomainError, expectFunction, NablasError, OptionError, withDefaults } from "../errors";
import { type AnyModule, type Layer, Module } from "../nn/module";
import { clone, detach } from "../ops/layout";
import { toTensor } from "../ops/operand";
import { getRngState, setRngState } from "../ops/random";
import { recorder } from "../recording";
import { ended, scopeOf } from "../scope";
import { expectTensor, Tensor, type TensorData } from "../tensor";
import type { Batch } from "./data";
import { nonFinite } from "./nonFinite";
import { Diagnosis, type Finding, FLAG, layerHealth } from "./report";
import { findingsOf, pairFindings } from "./rules";
import { type Stage, Trace } from "./trace";

/** A loss as `diagnose` and `lint` call it: mseLoss, or (prediction, targets) => crossEntropyLoss(prediction, targets). */
export type LossFunction<Targets = Tensor> = (prediction: Tensor, targets: Targets) => Tensor;

/** The options of `diagnose`. */
export interface DiagnoseOptions {
  /** The learning rate to judge the size of a step by; default 0.01. */
  lr?: number;
}

/**
 * Runs one forward and one backward pass, and tells what is wrong with the network. Everything stays as it was:
 * parameters, gradients, running statistics, random numbers, modes. The modules run in the modes they are in.
 *
 * The findings, worst first, and their thresholds: `non-finite`, the first NaN or ∞; `labels-out-of-range`, also over 1 %
 * of the targets of a regression where the output layer gives none; `loss-mismatch`, a loss that does not fit the output
 * layer, or one written op by op that broadcasts a column with a row; `constant-output`, a deviation over the batch below
 * 0.001 of the outputs' size; `exploding-gradient`, a layer's gradient over 1,000 times the last one's, or
 * lr ‖g‖ / ‖w‖ > 1; `dead-relu`, over 0.5 + 1 / √n of a layer's n ReLUs 0 in every row; `saturated`, over 75 % of a hidden
 * layer's values (90 % of hardtanh's) where the slope is below 4 % of its largest; `vanishing-gradient`, a layer's gradient
 * below 0.001 times the last one's; `bad-init`, weights 10 times narrower than any usual initialiser draws, or all alike,
 * and in front of the last layer 3 times wider, or with a mean above their deviation; `not-normalised`, inputs, or targets
 * of a regression, whose root mean square is above 5 or below 0.01, or inputs with means over 10 deviations off 0;
 * `bias-shift`, what goes into an activation over 4.4 deviations off 0, 20 where it is straight in the middle as tanh is,
 * at the first layer where it is so. What is said of single units needs 8 rows. Layers are modules without others in them,
 * and outside of these products with a weight and activations.
 * Glorot and Bengio 2010, He et al. 2015.
 * @param targets as the loss takes them
 * @throws OptionError for a model that is no module or a loss that is no function; else what model and loss throw,
 *   other than for values outside their domain
 */
export function diagnose<Targets>(
  model: Layer,
  inputs: Tensor | TensorData,
  targets: Targets,
  lossFn: LossFunction<Targets>,
  options?: DiagnoseOptions,
): Diagnosis {
  const { lr } = withDefaults("diagnose", { lr: 0.01 }, options);
  expectModel("diagnose", model);
  expectFunction("diagnose", lossFn);
  if (recorder !== undefined) throw new OptionError("diagnose: reads values, so it cannot be compiled");
  return scopeOf(ended("diagnose"), () => {
    const x = detach(toTensor("diagnose", inputs));
    const batch = { inputs: x, targets: targets instanceof Tensor ? targets : undefined };
    const trace = new Trace();
    const fault = unchanged(model, () =>
      trace.run(() =>
        withGrad(true, () =>
          passes(trace, () => expectTensor("diagnose: model", model.forward(x)), targets, lossFn),
        ),
      ),
    );
    const findings = fault === undefined ? findingsOf(trace, batch, lr) : domainFindings(trace, batch, fault);
    return new Diagnosis(
      findings,
      trace.layers.map((stage) => layerHealth(stage, lr)),
    );
  });
}

/** @throws OptionError unless it is a module */
export function expectModel(op: string, model: unknown): void {
  if (!(model instanceof Module)) throw new OptionError(`${op}: expected a module, got ${typeof model}`);
}

/** A value outside the domain of the loss, and whether the targets are to blame for it. */
interface Fault {
  error: DomainError;
  ofTargets: boolean;
  /** The stages of the loss on predictions of 0.5, which are in every loss's domain. */
  stages: readonly Stage[];
}

/** A forward and a backward pass, if the loss takes the values. */
function passes<Targets>(
  trace: Trace,
  forward: () => Tensor,
  targets: Targets,
  lossFn: LossFunction<Targets>,
): Fault | undefined {
  const prediction = forward();
  let loss: Tensor;
  try {
    loss = expectTensor("diagnose: loss", lossFn(prediction, targets));
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const probe = new Trace();
    const half = full(prediction.shape, 0.5, { requiresGrad: true });
    const ofTargets = refuses(() => probe.run(() => lossFn(half, targets)));
    return { error, ofTargets, stages: probe.stages };
  }
  const scalar = loss.size === 1 ? loss : loss.mean();
  const restore = [...trace.leaves].map(({ leafGradient }) => leafGradient.setAside());
  try {
    scalar.backward();
  } finally {
    for (const putBack of restore) putBack();
  }
  return undefined;
}

/** Whether the loss refuses its arguments. */
function refuses(loss: () => Tensor): boolean {
  try {
    loss();
    return false;
  } catch (error) {
    return error instanceof NablasError;
  }
}

function domainFindings(trace: Trace, batch: Batch, { error, ofTargets, stages }: Fault): Finding[] {
  const broken = nonFinite(trace, batch);
  if (broken !== undefined) return [broken];
  const { message: advice } = error;
  const [value, threshold] = FLAG;
  if (ofTargets) return [{ code: "labels-out-of-range", layer: "targets", value, threshold, advice }];
  const known = pairFindings(trace, stages);
  return known.length > 0 ? known : [{ code: "loss-mismatch", layer: "model", value, threshold, advice }];
}

/** Runs `fn`, and gives buffers of the model and random numbers the values again that they had. */
export function unchanged<T>(model: AnyModule, fn: () => T): T {
  const random = getRngState();
  const buffers = model.namedBuffers().map(([, buffer]) => ({ buffer, values: clone(buffer) }));
  try {
    return fn();
  } finally {
    setRngState(random);
    for (const { buffer, values } of buffers) {
      buffer.view().set(values.data);
      values.dispose();
    }
  }
}
