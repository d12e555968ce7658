import * as nablas from "nablas";
import { clip, gelu, prelu, rand, randn, type Tensor } from "nablas";
import * as plain from "../plain-elementwise";
import { copy, forward, type Row } from "./row";

interface Op {
  name: string;
  /** `b` is as large as x, `slope` a row of it. */
  wasm: (x: Tensor, b: Tensor, slope: Tensor) => Tensor;
  js: plain.Loop;
}

const COLS = 64;

const sizes = { "64": 64, "1k": 1_024, "64k": 65_536, "1M": 1_048_576 };

/** Where x has to be positive. */
const positive = ["log", "sqrt", "pow"];

const unaryOps: Record<keyof typeof plain.unary, (x: Tensor) => Tensor> = nablas;
const binaryOps: Record<keyof typeof plain.binary, (x: Tensor, b: Tensor) => Tensor> = nablas;

const keys = <T extends object>(table: T) => Object.keys(table) as (keyof T)[];

const ops: Op[] = [
  ...keys(plain.unary).map((name): Op => ({ name, wasm: (x) => unaryOps[name](x), js: plain.unary[name] })),
  { name: "gelu (tanh)", wasm: (x) => gelu(x, { approximate: "tanh" }), js: plain.geluTanh },
  { name: "clip", wasm: (x) => clip(x, { min: -1, max: 1 }), js: plain.clip },
  {
    name: "prelu",
    wasm: (x, _, slope) => prelu(x, slope),
    js: (x, y, b) => plain.prelu(x, y, b.subarray(0, COLS)),
  },
  ...keys(plain.binary).map(
    (name): Op => ({ name, wasm: (x, b) => binaryOps[name](x, b), js: plain.binary[name] }),
  ),
];

/**
 * Runs the only one of these loops, from a place that has run others. V8 makes a function it knows part of its caller; a long
 * loop then stays as Maglev compiles it, at four times the time of TurboFan (relu of 64k in Chromium 150).
 */
function call(loops: readonly plain.Loop[], x: Float32Array, y: Float32Array, b: Float32Array): void {
  loops[0]!(x, y, b);
}

const nothing = new Float32Array(0);
for (const js of Object.values(plain.unary))
  for (let i = 0; i < 50; i++) call([js], nothing, nothing, nothing);

function elementwiseRow({ name, wasm, js }: Op, label: string, elements: number): Row {
  const prepare = () => {
    const shape = [elements / COLS, COLS];
    const x = positive.includes(name) ? rand(shape).add(0.5) : randn(shape);
    const b = rand(shape).add(0.5);
    const slope = b.slice(0, 1).reshape([COLS]);
    const [X, Y, B] = [copy(x), new Float32Array(elements), copy(b)];
    const loops = [js];
    const run = () => {
      call(loops, X, Y, B);
      return Y;
    };
    return forward(() => wasm(x, b, slope), run);
  };
  return { name: `${name} ${label}`, amount: elements, unit: "element", prepare };
}

export const elementwiseRows: Row[] = ops.flatMap((op) =>
  Object.entries(sizes).map(([label, elements]) => elementwiseRow(op, label, elements)),
);
