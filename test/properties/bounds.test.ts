import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { clipGradNorm, clipGradValue, compile, ones, scope, tensor } from "../../src/index";
import { Buffer } from "../../src/memory";
import { Tensor } from "../../src/tensor";
import { cases } from "../cases";
import { makeOptimizer, networks, optimizers, type Step, train } from "./networks";
import { shapes, singles, upstream } from "./programs";
import { often } from "./samples";

/** Blocks of up to so many bytes are prepared, and so many of each size. */
const LARGEST = 1536;
const PLACES = 8;

/** Signalling NaN, by and by another: who adds to it or copies it away is seen. */
const MARK = 0x7fa5_a5a5;

/** What lies beside every place that an op can get. */
let neighbours: Buffer[] = [];

/**
 * For each size blocks in a row, of which every other one is free: whatever is allocated next lies between two marked
 * neighbours.
 */
beforeAll(() => {
  for (let bytes = 16; bytes <= LARGEST; bytes += 16) {
    const row = Array.from({ length: 2 * PLACES + 1 }, () => new Buffer(bytes / 4));
    for (const [i, block] of row.entries()) {
      if (i % 2 === 1) continue;
      block.integers(bytes / 4).fill(MARK);
      neighbours.push(block);
    }
    for (const [i, block] of row.entries()) if (i % 2 === 1) block.free("dispose");
  }
});

afterAll(() => {
  for (const block of neighbours) block.free("dispose");
  neighbours = [];
});

/** @throws if a neighbour has changed */
function checkNeighbours(): void {
  for (const block of neighbours) {
    const words = block.integers(block.bytes / 4);
    const at = words.findIndex((word) => word !== MARK);
    if (at < 0) continue;
    words.fill(MARK);
    throw new Error(`word ${at} of a neighbour of ${block.bytes} bytes was written`);
  }
}

const sizes = fc.oneof(fc.tuple(fc.integer({ min: 1, max: 70 })), shapes(3, 7, 1), shapes(2, 19, 2));

describe("no op writes beside its buffers, forward or backward", () => {
  test.each(cases.map((c) => [c.name, c] as const))("%s", (_name, c) => {
    const check = fc.property(singles(c, sizes), ({ variant, inputs }) => {
      scope(() => {
        const y = c.run(inputs(), variant);
        if (!y.requiresGrad) return;
        const { data, shape } = upstream({ shape: y.shape, data: new Float64Array(y.size) });
        y.backward({ gradient: tensor(data, { shape }), retainGraph: true });
        y.backward({ gradient: tensor(data, { shape }) });
      });
      checkNeighbours();
    });
    fc.assert(check, often(12));
  });
});

/** Tensors of these sizes in one buffer, with marked words between them. */
function side(sizes: readonly number[]): { whole: Buffer; tensors: Tensor[]; check(): void } {
  const padded = sizes.map((n) => 4 * Math.ceil(n / 4));
  const starts = padded.map((_, i) => padded.slice(0, i).reduce((sum, n) => sum + n + 4, 4));
  const words = padded.reduce((sum, n) => sum + n + 4, 4);
  const whole = new Buffer(words);
  whole.integers(words).fill(MARK);
  const tensors = sizes.map((n, i) => {
    const t = new Tensor([n], "f32", whole.share(4 * starts[i]!));
    t.data.forEach((_, k) => {
      t.data[k] = ((7 * k + 3 * i) % 11) / 4 - 1.25;
    });
    return t;
  });
  const own = new Set(starts.flatMap((start, i) => Array.from({ length: padded[i]! }, (_, k) => start + k)));
  const check = () => {
    const at = whole.integers(words).findIndex((word, i) => !own.has(i) && word !== MARK);
    if (at >= 0) throw new Error(`word ${at} was written, tensors start at ${starts}`);
  };
  return { whole, tensors, check };
}

test("no optimizer, clipping or filling with zeros writes beside parameters and gradients that share a buffer", () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 70 }), { minLength: 1, maxLength: 4 });
  const check = fc.property(
    lengths,
    optimizers,
    fc.integer({ min: 1, max: 4 }),
    (lengths, options, steps) => {
      const [weights, gradients] = [side(lengths), side(lengths)];
      for (const [i, w] of weights.tensors.entries()) {
        w.requiresGrad = true;
        w.grad = gradients.tensors[i]!;
      }
      using optimizer = makeOptimizer(options, weights.tensors);
      for (let i = 0; i < steps; i++) {
        if (i === 3) optimizer.zeroGrad();
        optimizer.step();
        clipGradNorm(weights.tensors, 0.5, { normType: i + 1 }).dispose();
        clipGradValue(weights.tensors, 0.25);
      }
      weights.check();
      gradients.check();
      checkNeighbours();
      for (const { whole, tensors } of [weights, gradients]) {
        for (const t of tensors) t.dispose();
        whole.free("dispose");
      }
    },
  );
  fc.assert(check, often(200));
});

test("ops on tensors in the midst of a buffer write nothing in it but gradients", () => {
  const any = fc
    .constantFrom(...cases.filter(({ inputs }) => inputs.length > 0))
    .chain((c) => singles(c, sizes));
  const check = fc.property(any, ({ c, variant, data, inputs }) => {
    const lengths = data.map((x) => x.data.length);
    const [operands, gradients] = [side(lengths), side(lengths)];
    scope(() => {
      const given = inputs().map((x, i) => {
        const t = new Tensor(
          x.shape,
          x.dtype,
          operands.whole.share(operands.tensors[i]!.ptr - operands.whole.ptr),
        );
        t.data.set(x.data);
        if (!x.requiresGrad) return t;
        t.requiresGrad = true;
        t.grad = new Tensor(x.shape, "f32", gradients.tensors[i]!.buffer.share());
        t.grad.data.fill(0);
        return t;
      });
      const y = c.run(given, variant);
      if (y.requiresGrad) y.backward({ gradient: ones(y.shape) });
      for (const [i, t] of given.entries()) {
        expect([...t.data], `input ${i}`).toEqual(
          [...data[i]!.data].map(t.dtype === "i32" ? Number : Math.fround),
        );
        t.dispose();
      }
    });
    operands.check();
    gradients.check();
    checkNeighbours();
    for (const { whole, tensors } of [operands, gradients]) {
      for (const t of tensors) t.dispose();
      whole.free("dispose");
    }
  });
  fc.assert(check, often(500));
});

test("no training writes beside its buffers, eager or replayed", () => {
  const check = fc.property(networks(9), (net) => {
    train(net, (step) => step);
    checkNeighbours();
    const plans: Disposable[] = [];
    train(net, (step) => {
      const plan = compile(step);
      plans.push(plan);
      return plan as Step;
    });
    for (const plan of plans) plan[Symbol.dispose]();
    checkNeighbours();
  });
  fc.assert(check, often(60));
});
