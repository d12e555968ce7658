import { gradient, record } from "../autograd";
import { OptionError, withDefaults } from "../errors";
import { expectTensor, Tensor } from "../tensor";
import { type Kernels, kernels } from "../wasm";

/** Names with both a Forward and a Backward kernel. */
type UnaryName = keyof {
  [K in keyof Kernels as K extends `${infer Name}Forward`
    ? `${Name}Backward` extends keyof Kernels
      ? Name
      : never
    : never]: true;
};

type Kernel = (...args: number[]) => void;

/** Numeric options of an elementwise op, in the order of the kernel's parameters. */
export type Parameters = Readonly<Record<string, number>>;

/**
 * An elementwise op, [...] to [...]. One without options takes nothing but its tensor.
 * @throws DTypeError unless x is an f32 tensor, DisposedError if its memory was given back
 * @throws OptionError for an option that does not exist, or a value that is no number
 */
export interface Unary<P extends Parameters> {
  (x: Tensor, ...options: keyof P extends never ? [] : [options?: Partial<P>]): Tensor;
  readonly defaults: P;
}

/** The names of all ops that are made here, by which `diagnose` knows activations. */
export const unaries = new Set<string>();

/**
 * The elementwise op of the kernels `${name}Forward` and `${name}Backward`.
 * @param saves what the backward kernel reads: the op's input, its output, or the incoming gradient alone
 * @param defaults options and their defaults, in the order of the kernels' last parameters
 * @param broken the rule that options break, if they do, from all of them and those that were given
 */
export function unary<P extends Parameters = Record<never, number>>(
  name: UnaryName,
  saves: "input" | "output" | "nothing",
  defaults = {} as P,
  broken?: (options: P, given: Partial<P> | undefined) => string | undefined,
): Unary<P> {
  unaries.add(name);
  const forward = `${name}Forward` as keyof Kernels;
  const backward = `${name}Backward` as keyof Kernels;
  const op = (input: Tensor, options?: Partial<P>): Tensor => {
    const x = expectTensor(name, input);
    const merged = withDefaults(name, defaults, options);
    const parameters = Object.values(merged);
    const rule = broken?.(merged, options);
    if (rule !== undefined) throw new OptionError(`${name}: ${rule}, got ${parameters.join(" and ")}`);
    const source = x.use(name);
    const y = new Tensor(x.shape);
    (kernels[forward] as Kernel)(source, y.ptr, x.size, ...parameters);
    const read = saves === "output" ? y : x;
    return record(name, y, [x], saves === "nothing" ? [] : [read], (dy) =>
      (kernels[backward] as Kernel)(read.ptr, dy, gradient(x), x.size, ...parameters),
    );
  };
  return Object.assign(op, { defaults });
}
