import { gradient, record } from "../autograd";
import { shapeOf, type TensorOptions } from "../create";
import { OptionError, text, withDefaults } from "../errors";
import { Buffer, permanent } from "../memory";
import { adopt } from "../scope";
import { expectTensor, type Shape, Tensor } from "../tensor";
import { kernels } from "../wasm";
import { leakyRelu } from "./activations";

// Without manualSeed every program draws the same numbers, as in PyTorch, whose default seed this is.
const DEFAULT_SEED = 67_280_421_310_721;

/** Key and counter of the generator (assembly/random.ts). */
const STATE_CELLS = 5;
let state: Buffer | undefined;

function generator(): Buffer {
  if (state === undefined) manualSeed(DEFAULT_SEED);
  return state!;
}

/**
 * Starts the random numbers anew: the same seed gives the same bits in every engine, even and normal numbers
 * alike, with and without fused multiply-add. Without it every program draws the same ones. They are not PyTorch's.
 * @param seed an integer from 0 to 2^53 − 1
 * @throws OptionError for another
 */
export function manualSeed(seed: number): void {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new OptionError(`manualSeed: expected an integer from 0 to 2^53 − 1, got ${text(seed)}`);
  }
  state ??= permanent(STATE_CELLS);
  state.integers(STATE_CELLS).set([(seed % 2 ** 32) | 0, Math.floor(seed / 2 ** 32), 0, 0, 0]);
}

/** Where the random numbers stand: five 32-bit integers, of which `setRngState` takes a copy. */
export function getRngState(): Int32Array {
  return generator().integers(STATE_CELLS).slice();
}

/**
 * Goes on with the random numbers where `getRngState` found them.
 * @throws OptionError unless the state is five 32-bit integers
 */
export function setRngState(state: ArrayLike<number>): void {
  const cells = Array.from(state ?? []);
  if (cells.length !== STATE_CELLS || !cells.every((n) => (n | 0) === n)) {
    throw new OptionError(`setRngState: expected the five integers of getRngState(), got ${text(cells)}`);
  }
  generator().integers(STATE_CELLS).set(cells);
}

/** Moves the generator past what n even numbers took: a block gives four. */
function passEven(n: number): void {
  kernels.advanceRandom(generator().ptr, Math.ceil(n / 4));
}

/** Moves the generator past what n normal numbers took: two blocks give eight. */
function passNormal(n: number): void {
  kernels.advanceRandom(generator().ptr, 2 * Math.ceil(n / 8));
}

type RandomOptions = Pick<TensorOptions, "requiresGrad">;

function drawn(
  op: string,
  shape: Shape,
  options: RandomOptions | undefined,
  fill: (ptr: number, n: number) => void,
): Tensor {
  const sizes = shapeOf(op, shape, options);
  const { requiresGrad } = withDefaults(op, { requiresGrad: false }, options);
  const t = new Tensor(sizes);
  adopt(t);
  fill(t.ptr, t.size);
  t.requiresGrad = requiresGrad;
  return t;
}

/** Numbers from the uniform distribution on [low, high), for `op`. */
export function uniform(
  op: string,
  shape: Shape,
  low: number,
  high: number,
  options?: RandomOptions,
): Tensor {
  return drawn(op, shape, options, (ptr, n) => {
    kernels.uniformFill(generator().ptr, ptr, n, low, high, 0);
    passEven(n);
  });
}

/** Numbers from the normal distribution, for `op`. */
export function normal(op: string, shape: Shape, mean: number, std: number, options?: RandomOptions): Tensor {
  return drawn(op, shape, options, (ptr, n) => {
    kernels.normalFill(generator().ptr, ptr, n, mean, std, 0);
    passNormal(n);
  });
}

/**
 * Numbers from the uniform distribution on [0, 1), of the given shape.
 * @throws ShapeError unless the shape is an array of integers ≥ 0
 */
export function rand(shape: Shape, options?: RandomOptions): Tensor {
  return uniform("rand", shape, 0, 1, options);
}

/**
 * Numbers from the standard normal distribution, of the given shape.
 * @throws ShapeError unless the shape is an array of integers ≥ 0
 */
export function randn(shape: Shape, options?: RandomOptions): Tensor {
  return normal("randn", shape, 0, 1, options);
}

/** The options of `rrelu`. */
export interface RreluOptions {
  /** Smallest slope; default 1/8. */
  lower?: number;
  /** Largest slope; default 1/3. */
  upper?: number;
  /** Whether slopes are drawn; otherwise all are (lower + upper) / 2. Default false. */
  training?: boolean;
}

export const rreluDefaults = { lower: 1 / 8, upper: 1 / 3, training: false };

/**
 * x > 0 ? x : slope · x, [...] to [...], with a slope drawn for each element from [lower, upper) in training;
 * otherwise all slopes are (lower + upper) / 2. Xu et al. 2015. As in PyTorch: `lower` 1/8, `upper` 1/3,
 * `training` false.
 * @throws OptionError if lower exceeds upper
 */
export function rrelu(x: Tensor, options?: RreluOptions): Tensor {
  const { lower, upper, training } = withDefaults("rrelu", rreluDefaults, options);
  if (!(lower <= upper)) throw new OptionError(`rrelu: expected lower ≤ upper, got ${lower} and ${upper}`);
  const source = expectTensor("rrelu", x).use("rrelu");
  if (!training) return leakyRelu(x, { negativeSlope: (lower + upper) / 2 });
  const y = new Tensor(x.shape);
  const noise = new Buffer(x.size);
  kernels.rreluForward(generator().ptr, source, noise.ptr, y.ptr, x.size, lower, upper, 0);
  passEven(x.size);
  return record("rrelu", y, [x], [noise], (dy) => kernels.rreluBackward(noise.ptr, dy, gradient(x), x.size));
}

/** The options of `dropout`. */
export interface DropoutOptions {
  /** Probability of an element to become 0, from 0 to 1; default 0.5. */
  p?: number;
  /** Whether anything is dropped; otherwise y = x. Default true, as in PyTorch. */
  training?: boolean;
}

export const dropoutDefaults = { p: 0.5, training: true };

/**
 * x / (1 − p) where a number drawn for the element is at least p, else 0, [...] to [...]: the mean stays what
 * it is without dropout. With p = 0 or out of training y shares memory with x and nothing is drawn; with p =
 * 1 all is 0. Srivastava et al. 2014.
 * An infinity that is dropped is 0 · ∞, NaN, as in PyTorch.
 *
 * PyTorch, Keras and ONNX scale alike; `training` is true by default as in PyTorch, false in ONNX.
 * @throws OptionError for p outside [0, 1]
 */
export function dropout(x: Tensor, options?: DropoutOptions): Tensor {
  const { p, training } = withDefaults("dropout", dropoutDefaults, options);
  checkProbability("dropout", p);
  const source = expectTensor("dropout", x).use("dropout");
  if (!training || p === 0) {
    const same = new Tensor(x.shape, "f32", x.buffer.share());
    return record("dropout", same, [x], [], (dy) => kernels.copyBackward(dy, gradient(x), x.size));
  }
  const y = new Tensor(x.shape);
  const noise = new Buffer(x.size);
  kernels.dropoutForward(generator().ptr, source, noise.ptr, y.ptr, x.size, p, 0);
  passEven(x.size);
  return record("dropout", y, [x], [noise], (dy) =>
    kernels.rreluBackward(noise.ptr, dy, gradient(x), x.size),
  );
}

/** @throws OptionError unless p is a number from 0 to 1 */
export function checkProbability(op: string, p: number): void {
  if (typeof p === "number" && p >= 0 && p <= 1) return;
  throw new OptionError(`${op}: p is a number from 0 to 1, got ${String(p)}`);
}
