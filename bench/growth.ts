/**
 * How the time grows with the size, where it has to grow no faster: `npm run bench:growth`. Ten times as much may take forty times as
 * long; by the square it would take a hundred. The machine has to have nothing else to do.
 */
import { add, type Tensor, tensor, zeros } from "nablas";
import { loadNpy, saveNpy } from "nablas/numpy";
import { fromOnnx } from "nablas/onnx";
import { fromTfjs } from "nablas/tfjs";
import { fileOf, node } from "../test/onnxFile";

const MOST = 40;
/** Runs of each size, of which the fastest counts: what else runs only slows them down. */
const RUNS = 3;
/** Milliseconds below which a clock is too coarse. */
const LEAST = 2;

/** Prepares work of a size, and returns the function to time. */
type Row = (size: number) => () => unknown;

const rows: Record<string, [size: number, row: Row]> = {
  "backward of a chain of ops": [
    10_000,
    (size) => {
      const x = tensor([1], { requiresGrad: true });
      let y: Tensor = x;
      for (let i = 0; i < size; i++) y = add(y, x);
      return () => y.backward();
    },
  ],
  "tensors made, and freed in another order": [
    10_000,
    (size) => () => {
      const live = Array.from({ length: size }, (_, i) => zeros([1 + (i % 97) * 9]));
      const place = (i: number) => (i * 7919) % 100_003;
      const order = live.map((_, i) => i).sort((a, b) => place(a) - place(b));
      for (const i of order) live[i]!.dispose();
    },
  ],
  "a .npy file with many sizes of 1, in Fortran's order": [
    300,
    (size) => {
      const shape = [100, 300, ...Array.from({ length: size }, () => 1)];
      const file = Buffer.from(saveNpy({ data: new Float32Array(30_000), shape }));
      const fortran = Buffer.from(file.toString("latin1").replace("False, ", "True,  "), "latin1");
      return () => loadNpy(new Uint8Array(fortran));
    },
  ],
  "an ONNX file of products that double": [
    2000,
    (size) => {
      const names = Array.from({ length: size }, (_, i) => (i === 0 ? "x" : `v${i}`));
      const nodes = names.map((name, i) => node(names[i + 1] ?? "y", "Mul", [name, name]));
      const inputs = { x: { shape: ["n", 4] } };
      const file = fileOf({ nodes, opset: 20, inputs, outputs: ["y"] });
      return () => fromOnnx(file);
    },
  ],
  "a TensorFlow.js model of layers whose names are alike": [
    1000,
    (size) => {
      const config = Array.from({ length: size }, (_, i) => ({
        class_name: "Dense",
        config: { name: `${i}/dense`, units: 1, use_bias: false, batch_input_shape: [null, 1] },
      }));
      const weights = config.map((layer) => ({
        ...{ name: `model/${layer.config.name}/kernel`, shape: [1, 1], dtype: "float32" },
      }));
      const modelTopology = { class_name: "Sequential", config };
      const model = { modelTopology, weightsManifest: [{ paths: ["a"], weights }] };
      return async () => (await fromTfjs(model, new Uint8Array(4 * size))).dispose();
    },
  ],
};

async function fastest(row: Row, size: number): Promise<number> {
  let best = Infinity;
  for (let i = 0; i < RUNS; i++) {
    const run = row(size);
    const start = performance.now();
    await run();
    best = Math.min(best, performance.now() - start);
  }
  return best;
}

for (const [name, [size, row]] of Object.entries(rows)) {
  await fastest(row, size);
  const [small, large] = [await fastest(row, size), await fastest(row, 10 * size)];
  const ratio = large / Math.max(LEAST, small);
  const times = `${small.toFixed(1)} → ${large.toFixed(1)} ms`;
  console.log(
    `${name.padEnd(54)} ${times.padEnd(22)} ${ratio.toFixed(1)}×${ratio > MOST ? "  TOO MUCH" : ""}`,
  );
  if (ratio > MOST) process.exitCode = 1;
}
