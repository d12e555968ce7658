// Sizes that linear memory can never hold, and sizes that are none: refused before anything is allocated.
import { expect, test } from "vitest";
import {
  arange,
  BatchNorm1d,
  concat,
  crossEntropyLoss,
  dataset,
  Embedding,
  embedding,
  eye,
  full,
  gather,
  LayerNorm,
  Linear,
  linear,
  matmul,
  memory,
  NablasError,
  OutOfMemoryError,
  oneHot,
  ones,
  rand,
  randn,
  scope,
  slice,
  softmax,
  stack,
  sum,
  tensor,
  xavierUniform,
  zeros,
} from "../../src/index";

const BIG = 2 ** 16;
const tall = zeros([BIG, 1]);
const wide = zeros([1, BIG]);
const hollow = zeros([0, 2 ** 31, 2 ** 31]);
const labels = tensor(new Int32Array(BIG));
const million = zeros([2 ** 20]);

const beyond: [name: string, make: () => unknown, message: RegExp][] = [
  ["zeros", () => zeros([BIG, BIG]), /^zeros \[65536, 65536\]: cannot allocate 17179869184 bytes/],
  [
    "2^93 elements",
    () => zeros([2 ** 31, 2 ** 31, 2 ** 31]),
    /^zeros \[2147483648, 2147483648, 2147483648\]/,
  ],
  ["2^1060 elements", () => zeros(new Array(20).fill(2 ** 53 - 1)), /^zeros .*cannot allocate \S+ bytes/],
  ["one beyond the end", () => ones([2 ** 30]), /^ones \[1073741824\]/],
  ["full of i32", () => full([2 ** 32], 1, { dtype: "i32" }), /^full \[4294967296\]/],
  ["eye", () => eye(BIG), /^eye \[65536, 65536\]/],
  ["arange", () => arange(2 ** 31), /^arange \[2147483648\]/],
  ["arange of small steps", () => arange(0, 1, 1e-12), /^arange \[1000000000000\]/],
  ["rand", () => rand([BIG, BIG]), /^rand \[65536, 65536\]/],
  ["randn", () => randn([BIG, BIG]), /^randn \[65536, 65536\]/],
  ["xavierUniform", () => xavierUniform([BIG, BIG]), /\[65536, 65536\]/],
  ["add", () => tall.add(wide), /^add \[65536, 65536\]/],
  ["mul", () => wide.mul(tall), /^mul \[65536, 65536\]/],
  ["matmul", () => matmul(tall, wide), /^matmul \[65536, 65536\]/],
  ["matmul of batches", () => matmul(zeros([BIG, 1, 2, 2]), zeros([BIG, 2, 2])), /^matmul \[65536, 65536\]/],
  ["linear", () => linear(tall, tall), /^linear \[65536, 65536\]/],
  ["sum of nothing", () => sum(hollow, { dim: 0 }), /\[2147483648, 2147483648\]: cannot allocate/],
  ["oneHot", () => oneHot(labels, { numClasses: BIG }), /^oneHot \[65536, 65536\]/],
  ["embedding", () => embedding(labels, wide), /^embedding \[65536, 65536\]/],
  ["concat", () => concat(new Array(1024).fill(million)), /^concat \[1073741824\]/],
  ["stack", () => stack(new Array(1024).fill(million)), /^concat \[1024, 1048576\]/],
  ["Linear", () => new Linear(BIG, BIG), /\[65536, 65536\]/],
  ["Embedding", () => new Embedding(BIG, BIG), /\[65536, 65536\]/],
  ["LayerNorm", () => new LayerNorm([BIG, BIG]), /\[65536, 65536\]/],
  ["BatchNorm1d", () => new BatchNorm1d(2 ** 40), /\[1099511627776\]/],
];

const held = () => ({ ...memory() });

test.each(beyond)("%s: refused, by op and shape", (_, make, message) => {
  const before = held();
  expect(() => scope(() => void make())).toThrow(OutOfMemoryError);
  expect(() => scope(() => void make())).toThrow(message);
  expect(memory().bytes).toBe(before.bytes);
  expect(memory().reserved - before.reserved).toBeLessThan(2 ** 23);
});

const none: [name: string, make: () => unknown][] = [
  ...[-1, 1.5, Number.NaN, Infinity, -Infinity, 2 ** 53, -0.5, "2", null, undefined, 2n, [2], {}].flatMap(
    (n): [string, () => unknown][] => [
      [`zeros([${String(n)}])`, () => zeros([n as number])],
      [`tensor of shape [${String(n)}]`, () => tensor([1, 2], { shape: [n as number] })],
      [`reshape to [${String(n)}]`, () => tensor([1, 2, 3]).reshape([n as number, 0])],
      [`eye(${String(n)})`, () => eye(n as number)],
      [`rand([2, ${String(n)}])`, () => rand([2, n as number])],
      [`new Linear(${String(n)}, 2)`, () => new Linear(n as number, 2)],
      [`new Linear(2, ${String(n)})`, () => new Linear(2, n as number)],
      [`new Embedding(${String(n)}, 2)`, () => new Embedding(n as number, 2)],
      [`new BatchNorm1d(${String(n)})`, () => new BatchNorm1d(n as number)],
      [`new LayerNorm([${String(n)}])`, () => new LayerNorm([n as number])],
    ],
  ),
  ["arange(NaN)", () => arange(Number.NaN)],
  ["arange(Infinity)", () => arange(Infinity)],
  ["arange(0, 1, 0)", () => arange(0, 1, 0)],
  ["arange of i32 beyond 32 bits", () => arange(2 ** 31 - 1, 2 ** 31 + 1, 1, { dtype: "i32" })],
  ["arange of i32 fractions", () => arange(0, 2, 0.5, { dtype: "i32" })],
  ["arange of i32 that begins with one", () => arange(0.5, 1.5, 0.5, { dtype: "i32" })],
  ["oneHot of 1.5 classes", () => oneHot([0], { numClasses: 1.5 })],
  ["slice to NaN", () => slice(tall, 0, Number.NaN)],
  ["slice by steps of 0", () => slice(tall, 0, 5, { step: 0 })],
  ["gather of 2^32", () => gather(tensor([1, 2]), [2 ** 32])],
  ["classes of 2^32", () => crossEntropyLoss(zeros([1, 2]), [2 ** 32])],
  ["softmax over dim 2^32", () => softmax(tall, { dim: 2 ** 32 })],
  ["batches of 2^53", () => [...dataset([[1]], [1]).batches({ batchSize: Number.NaN })]],
];

test.each(none)("%s is refused", (_, make) => {
  const before = held();
  expect(() => scope(() => void make())).toThrow(NablasError);
  expect(memory().bytes).toBe(before.bytes);
});

test("arange has the values and dtypes that it had as an array", () => {
  scope(() => {
    expect(arange(5).toArray()).toEqual([0, 1, 2, 3, 4]);
    expect(arange(1, 2, 0.25).toArray()).toEqual([1, 1.25, 1.5, 1.75]);
    expect(arange(3, 0, -1, { dtype: "i32" }).toArray()).toEqual([3, 2, 1]);
    expect(arange(0, 0.5, 0.5, { dtype: "i32" }).toArray()).toEqual([0]);
    expect(arange(5, 0).shape).toEqual([0]);
    expect(arange(0, 1, 0.1, { requiresGrad: true }).requiresGrad).toBe(true);
  });
});

test("tensors without elements may have any other sizes", () => {
  scope(() => {
    expect(hollow.size).toBe(0);
    for (const t of [
      hollow.add(1),
      hollow.relu(),
      softmax(hollow),
      hollow.transpose(0, 1),
      stack([hollow, hollow]),
    ])
      expect(t.size).toBe(0);
    expect(sum(hollow).item()).toBe(0);
  });
});
