import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  Adam,
  add,
  CorruptionError,
  compile,
  init,
  Linear,
  manualSeed,
  memory,
  mseLoss,
  mul,
  OptionError,
  OutOfMemoryError,
  ones,
  ReLU,
  randn,
  Sequential,
  scope,
  Tanh,
  type Tensor,
  tensor,
  threads,
  zeros,
} from "../src/index";
import { Buffer, permanent } from "../src/memory";
import { Plan } from "../src/plan/plan";
import { Recording } from "../src/plan/recording";
import { Region } from "../src/scope";
import { crew } from "../src/threads/threads";
import { kernels, own } from "../src/wasm";

const wasOn = process.env.NABLAS_DEBUG === "1";
beforeAll(() => init({ debug: true }));
afterAll(() => init({ debug: wasOn }));

/** What the next kernel call says. */
function told(fn: () => unknown): string {
  try {
    fn();
  } catch (error) {
    expect(error).toBeInstanceOf(CorruptionError);
    return String(error);
  }
  return "nothing";
}

const silent = () => zeros([1]).dispose();
beforeEach(silent);

describe("a kernel that writes where it should not is named", () => {
  test("behind the buffer that it was given", () => {
    const x = new Buffer(20);
    const y = new Buffer(16);
    const message = told(() => kernels.copyForward(x.ptr, y.ptr, 17));
    expect(message).toMatch(
      /^CorruptionError: copyForward wrote byte 64 of a buffer of 64 bytes; this is a mistake in nablas/,
    );
    expect(message).toMatch(/It was made\n(.*\n)*.*debug\.test\.ts/);
    expect(told(silent)).toBe("nothing");
    for (const b of [x, y]) b.free("dispose");
  });

  test("in front of one that it was not given", () => {
    const [x, y] = [new Buffer(8), new Buffer(8)];
    expect(told(() => kernels.zero(y.ptr - 4, 1))).toMatch(/zero wrote byte -4 of a buffer of 32 bytes/);
    for (const b of [x, y]) b.free("dispose");
  });

  test("into freed memory", () => {
    const x = new Buffer(100);
    x.free("dispose");
    const message = told(() => kernels.fill(x.ptr, 1, 3));
    expect(message).toMatch(
      /fill wrote into freed memory, byte 0 of what were 400 bytes; .*mistake in nablas/,
    );
    expect(message).toMatch(/It was freed\n(.*\n)*.*debug\.test\.ts/);
  });

  test("far away, among thousands of others, at the latest when its turn comes", () => {
    const many = Array.from({ length: 3000 }, () => new Buffer(4));
    kernels.zero(many[1234]!.ptr + 16, 1);
    expect(() => {
      for (let i = 0; i < 20; i++) silent();
    }).toThrow(CorruptionError);
    for (const b of many) b.free("dispose");
  });
});

describe("JavaScript that writes where it should not is told", () => {
  test("through a view of a freed tensor", () => {
    const x = tensor([1, 2, 3, 4]);
    const view = x.data;
    x.dispose();
    view[2] = 7;
    const message = told(silent);
    expect(message).toMatch(/JavaScript wrote into freed memory, byte 8 of what were 16 bytes; a view/);
    expect(message).toMatch(/It was made\n(.*\n)*.*debug\.test\.ts/);
    expect(message).toMatch(/It was freed\n(.*\n)*.*debug\.test\.ts/);
    expect(message).toMatch(/\nIt was noticed$/);
  });

  test("in the middle of a large tensor, when its memory is to be used again", () => {
    const x = zeros([1000]);
    const view = x.data;
    x.dispose();
    view[500] = 7;
    const message = told(() => {
      for (let i = 0; i < 200; i++) silent();
    });
    expect(message).toMatch(/something wrote into freed memory, byte 2000 of what were 4000 bytes/);
  });
});

describe("memory is never a number by chance", () => {
  test("what nobody has written is NaN, and so is what was freed", () => {
    const buffer = new Buffer(6);
    expect([...buffer.floats(6)].every(Number.isNaN)).toBe(true);
    const x = tensor([1, 2, 3]);
    const view = x.data;
    x.dispose();
    expect([...view].every(Number.isNaN)).toBe(true);
    buffer.free("dispose");
  });
});

describe("a plan", () => {
  const network = () => {
    manualSeed(1);
    const model = new Sequential(new Linear(2, 5), new ReLU(), new Linear(5, 3), new Tanh());
    return { model, optimizer: new Adam(model.parameters(), { lr: 0.1 }) };
  };
  const stepOf =
    ({ model, optimizer }: ReturnType<typeof network>) =>
    (x: Tensor) => {
      const loss = mseLoss(model.forward(x), zeros([3, 3]));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    };

  test("gives the same bits as without debug mode", () =>
    scope(() => {
      const x = randn([3, 2]);
      const step = compile(stepOf(network()));
      const eager = stepOf(network());
      for (let i = 0; i < 5; i++) expect(step(x).item()).toBe(eager(x).item());
      step.dispose();
    }));

  test("has guard words behind each intermediate, and names the kernel that overwrites them", () =>
    scope(() => {
      const x = zeros([5]);
      const recording = new Recording([x]);
      const y = recording.run(() => add(mul(x, 2), 3));
      const block = recording.blocks.get(y.ptr)!;
      const call = recording.calls.find(({ name }) => name === "mulForward")!;
      const region = new Region();
      const whole = new Plan(recording, new Set([block]), region);
      whole.replay();
      call.args[call.args.indexOf(5)] = 9;
      const broken = new Plan(recording, new Set([block]), region);
      expect(told(() => broken.replay())).toMatch(/^CorruptionError: mulForward wrote byte/);
      for (const plan of [whole, broken]) for (const part of [plan.arena, plan.list]) part.free("dispose");
      recording.release(new Set());
    }));
});

describe("debug mode", () => {
  test("may be switched at any time, whatever lives", async () => {
    const { bytes } = memory();
    const inside = tensor([1, 2, 3]);
    await init({ debug: false });
    const outside = tensor([4, 5, 6]);
    inside.dispose();
    await init({ debug: true });
    outside.dispose();
    expect(memory().bytes).toBe(bytes);
    expect(told(silent)).toBe("nothing");
  });

  test("stays as it is when init is called for something else", async () => {
    await init({});
    expect(memory().madeAt).toBeDefined();
    await init({ debug: false });
    await init({});
    expect(memory().madeAt).toBeUndefined();
    await init({ debug: true });
  });

  test("tells where each tensor was made", () => {
    const x = zeros([2]);
    expect(memory().madeAt!.at(-1)).toMatch(/debug\.test\.ts/);
    x.dispose();
  });

  test("finds the caller of modules within modules, and counts as memory() does", () => {
    const before = memory();
    const nested = new Sequential(new Sequential(new Sequential(new Linear(2, 3))));
    const y = nested.forward(ones([1, 2]));
    permanent(1);
    const after = memory();
    const made = after.madeAt!.slice(before.madeAt!.length);
    expect(made).toHaveLength(after.tensors - before.tensors);
    for (const stack of made) expect(stack).toMatch(/debug\.test\.ts/);
    for (const one of [nested, y]) one.dispose();
  });

  test("names kernels whose work threads divide", async () => {
    const before = threads().count;
    await init({ threads: 2 });
    crew?.divideAll();
    const x = new Buffer(4096);
    const y = new Buffer(4096);
    expect(told(() => kernels.reluForward(x.ptr, y.ptr, 4100))).toMatch(/reluForward wrote byte 16384/);
    await init({ debug: false });
    await init({ debug: true });
    expect(told(() => kernels.reluForward(x.ptr, y.ptr, 4100))).toMatch(/reluForward wrote byte 16384/);
    await init({ threads: before });
    expect(told(() => kernels.reluForward(x.ptr, y.ptr, 4100))).toMatch(/reluForward wrote byte 16384/);
    for (const b of [x, y]) b.free("dispose");
  });

  test("ends, also when what was freed turns out to be written", async () => {
    const freed = Array.from({ length: 2 }, () => zeros([1000]));
    for (const x of freed) {
      const view = x.data;
      x.dispose();
      view[500] = 7;
    }
    await expect(init({ debug: false })).rejects.toThrow(CorruptionError);
    expect(memory().madeAt).toBeUndefined();
    expect(kernels.fill).toBe(own.fill);
    await expect(init({ debug: false })).rejects.toThrow(CorruptionError);
    await init({ debug: false });
    await init({ debug: true });
    expect(told(silent)).toBe("nothing");
  });

  test("does not tell of the state of the random numbers, which memory() does not count", async () => {
    vi.resetModules();
    const fresh = await import("../src/index");
    await fresh.init({ debug: true });
    fresh.manualSeed(1);
    fresh.rand([3]).dispose();
    const x = fresh.zeros([2]);
    expect(fresh.memory().tensors).toBe(1);
    expect(fresh.memory().madeAt).toHaveLength(1);
    x.dispose();
  });

  test("is true or false", async () => {
    await expect(init({ debug: 1 as never })).rejects.toThrow(OptionError);
  });

  test("keeps nothing back when memory is short", () => {
    const many = Array.from({ length: 100 }, () => new Buffer(10_000));
    for (const b of many) b.free("dispose");
    expect(() => zeros([2 ** 30])).toThrow(OutOfMemoryError);
    expect(told(silent)).toBe("nothing");
  });
});
