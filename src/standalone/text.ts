import { OptionError, type Tensor } from "../index";
import { FUNCTIONS } from "./functions";

/** The shape [lead · rows, ...rest] of the numbers on their way. */
export interface Sizes {
  readonly lead: number;
  readonly rest: readonly number[];
}

/** Number of elements. */
export function size(shape: readonly number[]): number {
  return shape.reduce((product, n) => product * n, 1);
}

interface Stored {
  name: string;
  tensor: Tensor;
}

/** A text in the making: its statements, the functions that they use, and its weights. */
export class Text {
  readonly steps: string[] = [];
  readonly weights: Stored[] = [];
  private readonly used = new Set<string>();
  private path = "";

  /** Names the weights that follow after this module. */
  enter(path: string): void {
    this.path = path;
  }

  /** Puts what an expression of x gives in its place. */
  step(expression: string): void {
    this.steps.push(`x = ${expression};`);
  }

  /** Takes a function in, and those that it uses; Math has its own. */
  use(name: string): void {
    if (!Object.hasOwn(FUNCTIONS, name)) return;
    this.used.add(name);
    if (name === "gelu") this.used.add("erfc");
  }

  /** A step by a function of x and, in its order, of names and numbers. */
  call(name: string, ...args: readonly (string | number)[]): void {
    this.use(name);
    const given = args.map((arg) => (typeof arg === "number" ? this.number(arg) : arg));
    this.step(`${name}(${["x", ...given].join(", ")})`);
  }

  /** A number as JavaScript reads it. @throws OptionError for what is none, which could be any text */
  number(value: unknown): string {
    if (typeof value !== "number") throw new OptionError(`expected a number, got a ${typeof value}`);
    return Object.is(value, -0) ? "-0" : String(value);
  }

  /** The name of a weight, which is stored once; null for none. */
  weight(kind: string, tensor: Tensor | null): string {
    if (tensor === null) return "null";
    const known = this.weights.find((one) => one.tensor === tensor);
    if (known !== undefined) return known.name;
    tensor.use("toModule");
    const name = `${kind}${this.path.replaceAll(/\W/g, "_")}`;
    this.weights.push({ name, tensor });
    return name;
  }

  /** The size of the first dimension. */
  rows({ lead }: Sizes): string {
    return lead === 1 ? "rows" : `${lead} * rows`;
  }

  /** The functions that are used, in the order of their list. */
  functions(): string[] {
    return Object.entries(FUNCTIONS).flatMap(([name, code]) => (this.used.has(name) ? [code] : []));
  }
}
