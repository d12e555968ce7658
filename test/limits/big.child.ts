// Run by big.test.ts in a process of its own: tensors of 2^31 bytes and beyond, and growth to the end of 4 GiB.
import {
  compile,
  concat,
  gather,
  init,
  matmul,
  memory,
  mseLoss,
  OutOfMemoryError,
  ones,
  SGD,
  saveCheckpoint,
  scope,
  shutdown,
  softmax,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index";

const threads = Number(process.argv[2]);
if (threads > 1) await init({ threads });

const failures: string[] = [];
function check(what: string, got: unknown, wanted: unknown): void {
  if (JSON.stringify(got) !== JSON.stringify(wanted))
    failures.push(`${what}: ${JSON.stringify(got)}, not ${JSON.stringify(wanted)}`);
}
const ends = (t: Tensor, from = 0) => {
  const { data } = t;
  return [data[from], data[data.length - 1]];
};

// Beyond 2^31 bytes: pointers are negative as i32, and so are the byte lengths.
const n = 2 ** 29 + 4;
const x = zeros([n]);
x.data.fill(2, n - 3);
x.data[0] = 1;
check("ends", ends(x), [1, 2]);
check("sum", x.sum().item(), 7);
check("max", x.max().item(), 2);
check("argmax", x.argmax().item(), n - 3);
check("slice", x.slice(n - 4, n).toArray(), [0, 2, 2, 2]);
check("item of the end", x.slice(-1).item(), 2);
// Counts and strides of bytes that are negative as i32: a dot product, columns, pairs.
scope(() => {
  const row = x.reshape([1, n]);
  check("dot", row.matmul(x.reshape([n, 1])).toArray(), [[1 + 3 * 4]]);
  check("dot, transposed", row.matmul(row, { transposeB: true }).toArray(), [[1 + 3 * 4]]);
  const quads = x.reshape([n / 4, 4]);
  check("columns", quads.sum({ dim: 0 }).toArray(), [1, 2, 2, 2]);
  check("largest of columns", quads.max({ dim: 0 }).toArray(), [1, 2, 2, 2]);
  check(
    "thin product",
    row
      .reshape([n / 4, 4])
      .matmul(tensor([[1], [2], [0], [0]]))
      .sum()
      .item(),
    1 + 2 * 2,
  );
  check(
    "sumRows",
    matmul(ones([1, 2]), x.reshape([2, n / 2]))
      .sum()
      .item(),
    7,
  );
  check("pairs", mseLoss(x, x).item(), 0);
  check("gather", gather(x, [n - 1, 0]).toArray(), [2, 1]);
});
const y = x.slice(n - 1000, n); // a tensor behind 2^31
check("its place", y.ptr > 2 ** 31, true);
check("mul", y.mul(3).sum().item(), 18);
check("concat", ends(concat([y, y])), [0, 2]);
check("gelu", softmax(y.relu()).sum().item().toFixed(4), "1.0000");
check("transpose", y.reshape([10, 100]).transpose().slice(-1).toArray(), [[0, 0, 0, 0, 0, 0, 0, 0, 0, 2]]);

// Training there: op, backward, step, plan, checkpoint.
const w = tensor(new Array(1000).fill(0.5), { requiresGrad: true });
check("a leaf behind 2^31", w.ptr > 2 ** 31, true);
const optimizer = new SGD([w], { lr: 1, momentum: 0.5 });
const step = compile((a: Tensor) => {
  const loss = a.mul(w).sum();
  optimizer.zeroGrad();
  loss.backward();
  optimizer.step();
  return loss;
});
check("plan, first", step(y).item(), 3);
check("plan, again", step(y).item(), 3 - 12);
check("weight", ends(w), [0.5, 0.5 - 2 - 3]);
const m = y.reshape([10, 100]).matmul(w.reshape([100, 10]));
check("matmul", Number.isFinite(m.sum().item()), true);
check("checkpoint", saveCheckpoint({ w }).length > 4000, true);

// A whole pass over the large one, where there is room for a second.
x.requiresGrad = false;
const z = x.slice(0, n, { step: 2 });
check("every second", z.shape, [n / 2]);
check("its sum", z.sum().item(), 3);
z.dispose();

// Growth to the end.
const parts: Tensor[] = [];
let error: unknown;
try {
  for (;;) parts.push(zeros([2 ** 22]));
} catch (e) {
  error = e;
}
check("the error at the end", error instanceof OutOfMemoryError, true);
check("how far it went", memory().reserved > 4e9, true);
for (const part of parts) if (part.data[2 ** 22 - 1] !== 0) failures.push("a part overlaps");
parts.at(-1)!.data.fill(1);
check("the last part", parts.at(-1)!.sum().item(), 2 ** 22);
check("the plan goes on", Number.isFinite(step(y).item()), true);
parts.pop()!.dispose();
check("room again", zeros([2 ** 22]).size, 2 ** 22);

await shutdown();
console.log(JSON.stringify(failures));
