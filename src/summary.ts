import { shapeOf, zeros } from "./create";
import { OptionError, show, withDefaults } from "./errors";
import { evaluating } from "./nn/evaluating";
import { type AnyModule, type Layer, Module, modulesIn } from "./nn/module";
import { itemsOf } from "./nn/parts";
import { ended, scopeOf } from "./scope";
import { type DType, type Shape, Tensor, tensorsIn } from "./tensor";

/** A row of the summary. */
export interface LayerSummary {
  /** Where the module is: "0", "encoder.0"; "" for the model itself. */
  name: string;
  /** The module with its sizes: Linear(64 → 32). */
  type: string;
  /** Of the first call, of several tensors that of the first; null if the forward pass did not call the module. */
  outputShape: Shape | null;
  /**
   * Number of elements of the parameters and running statistics that are its own; shared ones count where
   * they come first.
   */
  parameters: number;
}

/**
 * The layers of a model and its totals; as text, a table. As in Keras's, running statistics count as
 * parameters that are not trainable: the f32 buffers of `namedBuffers()`, not counters (i32).
 */
export class Summary {
  /** Elements of all parameters and running statistics. */
  readonly parameters: number;
  /** Elements of the parameters with requiresGrad. */
  readonly trainable: number;
  /** Elements of the others: frozen parameters and running statistics. */
  readonly nonTrainable: number;
  /** Bytes of all of them. */
  readonly bytes: number;

  constructor(
    /** Every module that has no others in it, or has parameters or running statistics of its own. */
    readonly layers: readonly LayerSummary[],
    /** The parameters and running statistics. */
    tensors: readonly Tensor[],
  ) {
    this.parameters = elements(tensors);
    this.trainable = elements(tensors.filter((t) => t.requiresGrad));
    this.nonTrainable = this.parameters - this.trainable;
    this.bytes = 4 * this.parameters;
  }

  /** The table. */
  toString(): string {
    const rows = this.layers.map(({ name, type, outputShape, parameters }) => [
      name,
      type,
      outputShape === null ? "not called" : show(outputShape),
      grouped(parameters),
    ]);
    const table = [["layer", "type", "output", "parameters"], ...rows];
    const widths = [0, 1, 2, 3].map((column) => Math.max(...table.map((row) => row[column]!.length)));
    const lines = table.map((row) => row.map((cell, i) => pad(cell, widths[i]!, i === 3)).join("  "));
    const rule = "─".repeat(lines[0]!.length);
    const totals =
      `${grouped(this.parameters)} parameters, ${grouped(this.trainable)} trainable, ` +
      `${grouped(this.nonTrainable)} not trainable, ${grouped(this.bytes)} bytes`;
    return [lines[0], rule, ...lines.slice(1), rule, totals].join("\n");
  }

  /** What console.log shows in Node. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

function elements(tensors: readonly Tensor[]): number {
  return tensors.reduce((sum, { size }) => sum + size, 0);
}

function pad(cell: string, width: number, right: boolean): string {
  return right ? cell.padStart(width) : cell.padEnd(width);
}

function grouped(n: number): string {
  return n.toLocaleString("en");
}

/**
 * The layers of a model with the shapes of their outputs, found by a forward pass over zeros, and its
 * parameters and running statistics counted. The pass is in evaluation and not recorded; the model is left as
 * it was.
 * @param inputShape with the batch: [1, 64]
 * @param options.dtype of the input; default f32
 * @throws what the model says of an input of that shape
 */
export function summary(model: AnyModule, inputShape: Shape, options?: { dtype?: DType }): Summary {
  const { dtype } = withDefaults("summary", { dtype: "f32" as DType }, options);
  if (!(model instanceof Module)) throw new OptionError(`summary: expected a module, got ${typeof model}`);
  shapeOf("summary", inputShape);
  const modules = [...modulesIn(model)];
  const shapes = outputShapes(model, new Set(modules.map(([, module]) => module)), inputShape, dtype);
  const tensors = [...model.namedParameters(), ...model.namedBuffers().filter(([, t]) => t.dtype === "f32")];
  const layers: LayerSummary[] = [];
  const named = new Map(tensors);
  for (const [prefix, module] of modules) {
    const own = itemsOf(module).flatMap(([name, item]) =>
      item instanceof Tensor && named.get(prefix + name) === item ? [item] : [],
    );
    if (own.length === 0 && module.namedChildren().length > 0) continue;
    const outputShape = shapes.get(module) ?? null;
    layers.push({ name: prefix.slice(0, -1), type: String(module), outputShape, parameters: elements(own) });
  }
  return new Summary(
    layers,
    tensors.map(([, t]) => t),
  );
}

/** The shapes that modules give in a forward pass, noted by a wrapper around each one's `forward`. */
function outputShapes(
  model: AnyModule,
  modules: Set<AnyModule>,
  inputShape: Shape,
  dtype: DType,
): Map<AnyModule, Shape> {
  const shapes = new Map<AnyModule, Shape>();
  const originals = [...modules].map((module) => ({ module, forward: module.forward }));
  for (const { module, forward } of originals) {
    module.forward = (...inputs) => {
      const result = forward(...inputs);
      const [y] = tensorsIn(result);
      if (y !== undefined && !shapes.has(module)) shapes.set(module, y.shape);
      return result;
    };
  }
  try {
    scopeOf(ended("summary"), () => {
      evaluating(model, () => (model as Layer).forward(zeros(inputShape, { dtype })));
    });
  } finally {
    for (const { module, forward } of originals) module.forward = forward;
  }
  return shapes;
}
