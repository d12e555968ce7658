import { defineConfig } from "vitest/config";

/** Milliseconds for what hangs, on a busy machine as well: no test says how fast anything is. */
const LIMIT = 900_000;
const limits = {
  maxWorkers: "100%",
  testTimeout: LIMIT,
  hookTimeout: LIMIT,
  teardownTimeout: 120_000,
  expect: { poll: { timeout: LIMIT / 3 } },
};
const test = { ...limits, setupFiles: ["test/setup.ts"] };

// Node 20 has relaxed SIMD behind a flag.
const isOld = Number(process.versions.node.split(".")[0]) < 21;
const execArgv = isOld ? ["--experimental-wasm-relaxed-simd"] : [];

/** `npm test`, on both binaries: values and gradients of every op. */
const ops = [
  "test/backward.test.ts",
  "test/coverage.test.ts",
  "test/forward.test.ts",
  "test/gradcheck.test.ts",
  "test/gradientConstants.test.ts",
  "test/grid*.test.ts",
  "test/normalization*.test.ts",
  "test/optimizers.test.ts",
  "test/oracle.test.ts",
  "test/simd-math.test.ts",
  "test/softmax.test.ts",
  "test/training.test.ts",
];

/** `npm test`, on the baseline: what is built upon ops. */
const built = [
  "test/autograd.test.ts",
  "test/average.test.ts",
  "test/blocks.test.ts",
  "test/buffers.test.ts",
  "test/checkpoint*.test.ts",
  "test/clip.test.ts",
  "test/data*.test.ts",
  "test/edges.test.ts",
  "test/error*.test.ts",
  "test/fit*.test.ts",
  "test/groups.test.ts",
  "test/health/diagnose.test.ts",
  "test/health/fit.test.ts",
  "test/health/lint.test.ts",
  "test/idx.test.ts",
  "test/init*.test.ts",
  "test/layers.test.ts",
  "test/leak.test.ts",
  "test/matmulTiles.test.ts",
  "test/memory.test.ts",
  "test/metric*.test.ts",
  "test/moduleState.test.ts",
  "test/nn*.test.ts",
  "test/numpy.test.ts",
  "test/onnx.test.ts",
  "test/optimizer?*.test.ts",
  "test/plan*.test.ts",
  "test/properties.test.ts",
  "test/random.test.ts",
  "test/safetensors.test.ts",
  "test/scalers.test.ts",
  "test/schedules.test.ts",
  "test/scope.test.ts",
  "test/seeds.test.ts",
  "test/summary.test.ts",
  "test/tfjs.test.ts",
];

/** `npm test` on two threads, `npm run test:all` on others as well. */
const threads = ["test/threads.test.ts"];

/** What runs the package as it is built, no kernel at all, or any kernel. */
const once = [
  "test/batchInference.test.ts",
  "test/browser/*.test.ts",
  "test/docs.test.ts",
  "test/documents.test.ts",
  "test/edits.test.ts",
  "test/error*.test.ts",
  "test/example.test.ts",
  "test/faults/*.test.ts",
  "test/federated.test.ts",
  "test/fixtures.test.ts",
  "test/fuzz/*.test.ts",
  "test/house.test.ts",
  "test/judge.test.ts",
  "test/lab.test.ts",
  "test/limits/big.test.ts",
  "test/limits/callbacks.test.ts",
  "test/limits/cycles.test.ts",
  "test/limits/kinds.test.ts",
  "test/limits/many.test.ts",
  "test/limits/nothing.test.ts",
  "test/limits/oomOps.test.ts",
  "test/limits/outOfMemory.test.ts",
  "test/limits/sizes.test.ts",
  "test/onnxBounds.test.ts",
  "test/onnxRefused.test.ts",
  "test/package.test.ts",
  "test/packing.test.ts",
  "test/readme.test.ts",
  "test/soak.test.ts",
  "test/standaloneText.test.ts",
  "test/supply.test.ts",
  "test/tfjsRefused.test.ts",
  "test/threadFaults.test.ts",
  "test/types.test.ts",
  "test/waiting.test.ts",
];

/** What debug mode watches: every op, optimizers, plans, and random programs of them. */
const watched = [
  "test/backward.test.ts",
  "test/leak.test.ts",
  "test/optimizers.test.ts",
  "test/plan*.test.ts",
  "test/properties*.test.ts",
  "test/properties/*.test.ts",
];

const ALL = ["test/**/*.test.ts"];
const PLAYGROUND = "test/playground/**";

const baseline = { NABLAS_SIMD: "baseline" };
const relaxed = { ...test, env: { NABLAS_SIMD: "relaxed" }, execArgv };

export default defineConfig({
  test: {
    projects: [
      // `npm test`.
      {
        test: {
          ...test,
          name: "baseline",
          include: [...ops, ...built, ...threads],
          env: { ...baseline, NABLAS_COUNTS: "2" },
        },
      },
      { test: { ...relaxed, name: "relaxed", include: ops } },
      // `npm run test:all` runs these, too: every file that no list names is among them.
      {
        test: {
          ...test,
          name: "baseline-rest",
          include: ALL,
          exclude: [...ops, ...built, PLAYGROUND],
          env: { ...baseline, NABLAS_COUNTS: "3,5,8" },
        },
      },
      { test: { ...relaxed, name: "relaxed-rest", include: ALL, exclude: [...ops, ...once, PLAYGROUND] } },
      {
        test: {
          ...test,
          name: "debug",
          include: watched,
          env: { ...baseline, NABLAS_DEBUG: "1" },
        },
      },
      {
        test: {
          ...limits,
          name: "playground",
          include: [`${PLAYGROUND}/*.test.ts`],
          globalSetup: ["test/playground/build.ts"],
        },
      },
    ],
  },
});
