// A place in a plan for an input.
import { noGrad } from "../autograd";
import { read } from "../create";
import { PlanError, sameShape, text } from "../errors";
import type { Origin } from "../memory";
import { clone } from "../ops/layout";
import { toTensor } from "../ops/operand";
import { isLinear } from "../space";
import { Tensor, type TensorData } from "../tensor";
import { kernels } from "../wasm";

/** What a compiled function takes: a tensor, a typed array, a number, or nested arrays. */
export type Input = Tensor | TensorData;

/** Up to so many elements are copied one by one: `set` takes longer to begin. */
const FEW = 32;

export class InputCell implements Origin {
  /** What the function works on. */
  readonly tensor: Tensor;
  private view: Float32Array | Int32Array;
  /** Of the input written last. */
  origin: Origin | undefined;

  constructor(input: Input, place: number) {
    if (input instanceof Tensor && input.requiresGrad) {
      throw new PlanError(
        `compile: input ${place} requires a gradient, but the function works on a copy; use the tensor itself inside ` +
          "the function, or pass detach()",
      );
    }
    this.tensor = input instanceof Tensor ? noGrad(() => clone(input)) : toTensor("compile", input);
    this.tensor.buffer.origin = this;
    this.origin = input instanceof Tensor ? input.buffer.origin : undefined;
    this.view = this.tensor.view();
  }

  place(at: number): string | undefined {
    return this.origin?.place(at);
  }

  /** Whether such an input can be written here. */
  fits(input: Input): boolean {
    const { shape, dtype, size } = this.tensor;
    if (input instanceof Tensor) {
      return input.dtype === dtype && !input.requiresGrad && sameShape(input.shape, shape);
    }
    if (ArrayBuffer.isView(input)) {
      const isNumeric = typeof (input[0] ?? 0) === "number"; // 64-bit integers are none
      return (
        shape.length === 1 &&
        input.length === size &&
        isNumeric &&
        (dtype === "i32") === input instanceof Int32Array
      );
    }
    if (typeof input === "number") return shape.length === 0 && dtype === "f32";
    if (!Array.isArray(input))
      throw new PlanError(`compile: expected a tensor or an array, got ${text(input)}`);
    const given = read("compile", input);
    return (dtype === "i32") === (given.kind === "i32") && sameShape(given.shape, shape);
  }

  write(input: Input): void {
    const { tensor } = this;
    this.origin = input instanceof Tensor ? input.buffer.origin : undefined;
    if (input instanceof Tensor) {
      kernels.copyForward(
        input.use("compile", tensor.dtype),
        tensor.use("compile", tensor.dtype),
        tensor.size,
      );
      return;
    }
    if (!isLinear(this.view)) this.view = tensor.view();
    const { view } = this;
    const values =
      typeof input === "number" ? [input] : ArrayBuffer.isView(input) ? input : read("compile", input).values;
    if (values.length > FEW) view.set(values);
    else for (let i = 0; i < values.length; i++) view[i] = values[i]!;
  }
}
