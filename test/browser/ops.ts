// What threads divide, with results to the last bit: the same code runs in pages, in their workers and in Node.
import type * as Package from "../../src/index";

type Tensors = readonly Pick<Package.Tensor, "data">[];

/** A number that any other bit of any element changes, and their order (FNV-1a over 32-bit words). */
function hash(tensors: Tensors): string {
  let h = 0x811c9dc5;
  for (const { data } of tensors) {
    for (const word of new Uint32Array(data.buffer, data.byteOffset, data.length))
      h = Math.imul(h ^ word, 0x01000193);
  }
  return (h >>> 0).toString(16);
}

/** The bits of results, gradients and parameters, by what was done. */
export function bits(nablas: typeof Package): Record<string, string> {
  const { manualSeed, matmul, gelu, softmax, sum, dropout, randn, scope } = nablas;
  // The first time is to learn what it takes on one thread.
  const of = (run: () => Tensors) => {
    scope(() => void run());
    return scope(() => hash(run()));
  };
  manualSeed(7);
  return {
    matmul: of(() => {
      const [a, b] = [randn([256, 256], { requiresGrad: true }), randn([256, 256], { requiresGrad: true })];
      const y = matmul(a, b);
      sum(gelu(y)).backward({ retainGraph: true });
      return [y, a.grad!, b.grad!];
    }),
    elementwise: of(() => {
      const x = randn([1000, 1000], { requiresGrad: true });
      const [y, z] = [gelu(x), softmax(x)];
      const total = sum(y);
      total.backward({ retainGraph: true });
      return [y, z, total, x.grad!];
    }),
    dropout: of(() => [dropout(randn([1_000_000]), { p: 0.3 })]),
    training: of(() => trained(nablas)),
  };
}

/** Losses of 50 compiled steps with Adam, and what is learnt. */
function trained(nablas: typeof Package): Tensors {
  const { Adam, compile, crossEntropyLoss, Dropout, Linear, randn, ReLU, Sequential, scope, tensor } = nablas;
  const model = new Sequential(new Linear(64, 256), new ReLU(), new Dropout({ p: 0.2 }), new Linear(256, 10));
  const optimizer = new Adam(model.parameters(), { lr: 0.01 });
  const x = randn([128, 64]);
  const labels = tensor(Int32Array.from({ length: 128 }, (_, i) => i % 10));
  const step = compile((x: Package.Tensor, labels: Package.Tensor) => {
    const loss = crossEntropyLoss(model.forward(x), labels);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    return loss;
  });
  const losses = Array.from({ length: 50 }, () => scope(() => step(x, labels).item()));
  return [tensor(losses), ...model.parameters()];
}
