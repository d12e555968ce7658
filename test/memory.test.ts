import { describe, expect, test } from "vitest";
import {
  DisposedError,
  matmul,
  memory,
  mul,
  OutOfMemoryError,
  relu,
  reshape,
  scope,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../src/index";
import { Buffer } from "../src/memory";
import { numbers } from "./cases";
import { held, leaveNothing } from "./held";

leaveNothing();

describe("the allocator", () => {
  test("aligns buffers to 16 bytes and rounds their sizes up to 16", () => {
    const buffers = [0, 1, 3, 4, 5, 100, 1023, 20_000].map((n) => new Buffer(n));
    expect(buffers.map(({ ptr }) => ptr % 16)).toEqual(buffers.map(() => 0));
    expect(buffers.map(({ bytes }) => bytes)).toEqual([16, 16, 16, 16, 32, 400, 4096, 80_000]);
    for (const b of buffers) b.free("dispose");
  });

  // Debug mode keeps freed memory from use.
  test.skipIf(process.env.NABLAS_DEBUG === "1")("gives the same place again for the same size", () => {
    const first = new Buffer(77);
    const { ptr } = first;
    first.free("dispose");
    const second = new Buffer(77);
    expect(second.ptr).toBe(ptr);
    second.free("dispose");
  });

  test("keeps live data when memory grows", () => {
    const small = tensor([1, 2, 3]);
    const { reserved } = memory();
    const large = zeros([reserved / 4]);
    expect(memory().reserved).toBeGreaterThan(reserved);
    expect(small.toArray()).toEqual([1, 2, 3]);
    small.dispose();
    large.dispose();
  });

  test.each([1, 2, 3, 4, 5])("never lets two buffers overlap, random pattern %i", (seed) => {
    const random = numbers(seed);
    const alive: { buffer: Buffer; words: number; mark: number }[] = [];
    const check = ({ buffer, words, mark }: (typeof alive)[number]) =>
      expect(buffer.integers(words).every((word) => word === mark)).toBe(true);
    for (let mark = 1; mark <= 3000; mark++) {
      if (alive.length > 0 && random() < 0.48) {
        const [gone] = alive.splice(Math.floor(random() * alive.length), 1);
        check(gone!);
        gone!.buffer.free("dispose");
      } else {
        const buffer = new Buffer(Math.floor(2 ** (random() * 13)));
        const words = buffer.bytes / 4;
        buffer.integers(words).fill(mark);
        alive.push({ buffer, words, mark });
      }
    }
    for (const item of alive) {
      check(item);
      item.buffer.free("dispose");
    }
  });

  test("reserves no more under random batch sizes once it has seen them", () => {
    const random = numbers(9);
    const step = () =>
      scope(() => {
        const batch = 1 + Math.floor(random() * 500);
        relu(matmul(zeros([batch, 64]), zeros([64, 64])));
      });
    for (let i = 0; i < 300; i++) step();
    const { reserved } = memory();
    for (let i = 0; i < 1500; i++) step();
    expect(memory().reserved).toBe(reserved);
    expect(reserved).toBeLessThan(64 * 2 ** 20);
  });

  test("finds room for a large buffer among the free places of small ones", () => {
    const small = Array.from({ length: 2000 }, () => new Buffer(1000));
    const { reserved } = memory();
    for (const b of small) b.free("dispose");
    const large = new Buffer(1_500_000);
    expect(memory().reserved).toBe(reserved);
    large.free("dispose");
  });

  test("refuses what linear memory cannot hold, and harms nothing", () => {
    const x = tensor([[1, 2]]);
    const wide = zeros([1, 2 ** 16]);
    const tall = zeros([2 ** 16, 1]);
    const before = memory();
    expect(() => zeros([2 ** 30])).toThrow(OutOfMemoryError);
    expect(() => matmul(tall, wide)).toThrow(OutOfMemoryError);
    expect(() => zeros([2 ** 30])).toThrow(/cannot allocate 4294967296 bytes: .*4 GiB.*dispose\(\)/);
    expect(memory().reserved).toBe(before.reserved);
    expect(x.toArray()).toEqual([[1, 2]]);
    const y = mul(x, 2);
    expect(y.toArray()).toEqual([[2, 4]]);
    for (const t of [x, y, wide, tall]) t.dispose();
  });
});

describe("memory()", () => {
  test("counts the bytes and the number of living tensors", () => {
    const start = held();
    const x = tensor([1, 2, 3, 4, 5]);
    expect(held()).toEqual({ bytes: start.bytes + 32, tensors: start.tensors + 1 });
    const view = reshape(x, [5, 1]);
    expect(held()).toEqual({ bytes: start.bytes + 32, tensors: start.tensors + 2 });
    x.dispose();
    expect(held()).toEqual({ bytes: start.bytes + 32, tensors: start.tensors + 1 });
    view.dispose();
  });

  test("is within what is reserved, whole pages", () => {
    const x = zeros([1000]);
    expect(memory().reserved % 65_536).toBe(0);
    expect(memory().bytes).toBeLessThanOrEqual(memory().reserved);
    x.dispose();
  });
});

describe("dispose and using", () => {
  test("dispose twice does nothing", () => {
    const x = tensor([1]);
    x.dispose();
    x.dispose();
    const other = tensor([2]);
    x.dispose();
    expect(other.item()).toBe(2);
    other.dispose();
  });

  test("using disposes at the end of the block", () => {
    let escaped: Tensor | undefined;
    {
      using x = tensor([1, 2]);
      escaped = x;
    }
    expect(() => escaped.data).toThrow(DisposedError);
  });

  test("takes the gradient along", () => {
    const x = tensor([1, 2], { requiresGrad: true });
    const loss = sum(x);
    loss.backward();
    loss.dispose();
    x.dispose();
    expect(() => x.grad!.data).toThrow(DisposedError);
  });

  test("reshape and detach share memory, which lives until the last is freed", () => {
    for (const order of [
      [0, 1, 2],
      [2, 1, 0],
      [1, 0, 2],
    ]) {
      const x = tensor([1, 2, 3, 4]);
      const views = [x, x.reshape([2, 2]), x.detach()];
      x.data[3] = 9;
      for (const [n, i] of order.entries()) {
        for (const alive of order.slice(n)) expect(views[alive]!.data[3]).toBe(9);
        views[i]!.dispose();
        const fresh = tensor([5, 6, 7, 8]);
        for (const alive of order.slice(n + 1)) expect(views[alive]!.data[3]).toBe(9);
        fresh.dispose();
      }
    }
  });
});

describe("use after release names the op and the fix", () => {
  const x = () => tensor([1, 2], { requiresGrad: true });

  test("after dispose", () => {
    const t = x();
    t.dispose();
    expect(() => relu(t)).toThrow(
      "relu: the tensor [2] was disposed; use it before dispose(), or clone() it",
    );
    expect(() => mul(t, t)).toThrow(/^mul: the tensor \[2\] was disposed/);
    expect(() => t.toArray()).toThrow(DisposedError);
    expect(() => t.item()).toThrow();
    expect(String(t)).toContain("dispose");
  });

  test("after its scope", () => {
    let t: Tensor | undefined;
    scope(() => {
      t = relu(x());
    });
    expect(() => sum(t!)).toThrow(
      "sum: the output of relu [2] was freed at the end of its scope; " +
        "return it from the scope's function, or call backward() inside",
    );
  });

  test("after backward", () => {
    const t = x();
    const h = relu(t);
    const loss = sum(h);
    loss.backward();
    expect(() => mul(h, 2)).toThrow(
      "mul: the output of relu [2] was released by backward(); " +
        "call backward({ retainGraph: true }) to keep it",
    );
    loss.dispose();
    t.dispose();
  });

  test("of what backward needs", () => {
    const [a, b] = [x(), x()];
    const product = mul(a, b);
    const loss = sum(product);
    a.dispose();
    expect(() => loss.backward()).toThrow(/^backward of mul: the tensor \[2\] was disposed/);
    expect(b.grad).toBeNull();
    for (const t of [b, product, loss]) t.dispose();
  });
});
