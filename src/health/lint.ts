import { withGrad } from "../autograd";
import { full, zeros } from "../create";
import { expectFunction, NablasError, OptionError, text, withDefaults } from "../errors";
import { Dropout } from "../nn/dropout";
import { Embedding } from "../nn/embedding";
import { Linear } from "../nn/linear";
import { type AnyModule, type Layer, modulesIn } from "../nn/module";
import { BatchNorm1d, LayerNorm } from "../nn/normalization";
import { randn } from "../ops/random";
import { recorder } from "../recording";
import { ended, scopeOf } from "../scope";
import { expectTensor, type Shape, type Tensor } from "../tensor";
import { expectModel, type LossFunction, unchanged } from "./diagnose";
import { xavierBeforeRelu } from "./initRules";
import { type Finding, FLAG, findingAt, nameOf } from "./report";
import { pairFindings, sorted } from "./rules";
import { type Stage, Trace } from "./trace";

/** The options of `lint`. */
export interface LintOptions {
  /** Shape of the model's input, with the batch; default: 4 rows of what the first layer of known size takes. */
  inputShape?: Shape;
}

/**
 * Tells, without data, what does not go together in a model: `loss-mismatch`, a loss that does not fit the output layer;
 * `bad-init`, weights in front of a relu as Glorot draws them (within 3 standard errors of their deviation);
 * `not-normalised`, dropout in front of a batch norm, whose variances then differ between training and evaluation (Li et
 * al. 2019). It runs the model on random numbers and the loss on predictions of 0.5, and leaves everything as it was.
 * @throws OptionError where the shape of the input does not follow from the first layer, or the loss takes neither labels
 *   nor values as its targets
 */
export function lint<Targets = Tensor>(
  model: Layer,
  lossFn: LossFunction<Targets>,
  options?: LintOptions,
): Finding[] {
  const { inputShape } = withDefaults("lint", { inputShape: undefined as Shape | undefined }, options);
  expectModel("lint", model);
  expectFunction("lint", lossFn);
  if (recorder !== undefined) throw new OptionError("lint: reads values, so it cannot be compiled");
  return scopeOf(ended("lint"), () => {
    const trace = new Trace();
    const output = unchanged(model, () => {
      const x = exampleInput(model, inputShape);
      return trace.run(() => withGrad(true, () => expectTensor("lint: model", model.forward(x))));
    });
    const loss = lossOn(output.shape, lossFn as LossFunction<Tensor>);
    return sorted([...pairFindings(trace, loss), ...xavierBeforeRelu(trace), ...dropoutBeforeNorm(trace)]);
  });
}

/** Random numbers, or indices of 0, in the shape that the model takes. */
function exampleInput(model: AnyModule, given: Shape | undefined): Tensor {
  const first = firstSized(model);
  if (first instanceof Embedding) return zeros(given ?? [4], { dtype: "i32" });
  const shape = given ?? (first && [4, ...sizesOf(first)]);
  if (shape !== undefined) return randn(shape);
  throw new OptionError(
    "lint: no layer of the model tells the shape of the input; pass { inputShape: [4, …] }",
  );
}

type Sized = Linear | BatchNorm1d | LayerNorm | Embedding;

function firstSized(model: AnyModule): Sized | undefined {
  for (const [, layer] of modulesIn(model)) {
    if (
      layer instanceof Linear ||
      layer instanceof BatchNorm1d ||
      layer instanceof LayerNorm ||
      layer instanceof Embedding
    )
      return layer;
  }
  return undefined;
}

function sizesOf(layer: Exclude<Sized, Embedding>): Shape {
  if (layer instanceof Linear) return [layer.inFeatures];
  return layer instanceof BatchNorm1d ? [layer.features] : layer.normalizedShape;
}

/** The stages of a loss on predictions of 0.5, with the first kind of targets that it takes. */
function lossOn(shape: Shape, lossFn: LossFunction<Tensor>): Stage[] {
  const errors: string[] = [];
  const labels = shape.toSpliced(Math.min(1, shape.length - 1), 1);
  const kinds = [() => full(shape, 1), () => zeros(labels, { dtype: "i32" }), () => full(labels, 1)];
  for (const targets of kinds) {
    const trace = new Trace();
    try {
      const loss = () => lossFn(full(shape, 0.5, { requiresGrad: true }), targets());
      trace.run(() => withGrad(true, () => expectTensor("lint: loss", loss())));
      return trace.stages;
    } catch (error) {
      if (!(error instanceof NablasError)) throw error;
      errors.push(error.message);
    }
  }
  throw new OptionError(
    `lint: the loss takes neither values nor labels for a prediction ${text(shape)}: ${errors[0]}`,
  );
}

/** Dropout changes the variance of what a later batch norm averages over, but not in evaluation. */
function dropoutBeforeNorm({ layers }: Trace): Finding[] {
  const at = layers.findIndex(({ module }) => module instanceof Dropout && module.options.p > 0);
  const norm = layers.findIndex(({ module }, i) => i > at && module instanceof BatchNorm1d);
  if (at < 0 || norm < 0) return [];
  const advice =
    `dropout in front of batch norm (layer ${nameOf(layers[norm]!)}) makes its running variance too large for ` +
    "evaluation; put the dropout behind the last batch norm";
  return [findingAt(layers[at]!, "not-normalised", FLAG, advice)];
}
