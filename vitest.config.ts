import { defineConfig } from "vitest/config";

const test = { testTimeout: 60_000, setupFiles: ["test/setup.ts"] };

// Node 20 has relaxed SIMD behind a flag.
const isOld = Number(process.versions.node.split(".")[0]) < 21;
const execArgv = isOld ? ["--experimental-wasm-relaxed-simd"] : [];

/** What runs the package as it is built, no kernel at all, or any kernel. */
const once = [
  "test/batchInference.test.ts",
  "test/browser/standalone.test.ts",
  "test/browser/threads.test.ts",
  "test/documents.test.ts",
  "test/edits.test.ts",
  "test/example.test.ts",
  "test/faults/checkpointFiles.test.ts",
  "test/faults/workers.test.ts",
  "test/federated.test.ts",
  "test/fixtures.test.ts",
  "test/fuzz/evaluated.test.ts",
  "test/fuzz/links.test.ts",
  "test/house.test.ts",
  "test/judge.test.ts",
  "test/lab.test.ts",
  "test/limits/big.test.ts",
  "test/limits/kinds.test.ts",
  "test/limits/many.test.ts",
  "test/onnxBounds.test.ts",
  "test/package.test.ts",
  "test/packing.test.ts",
  "test/readme.test.ts",
  "test/standaloneText.test.ts",
  "test/supply.test.ts",
  "test/threadFaults.test.ts",
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

const PLAYGROUND = "test/playground/**";

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...test,
          name: "baseline",
          include: ["test/**/*.test.ts"],
          exclude: [PLAYGROUND],
          env: { NABLAS_SIMD: "baseline" },
        },
      },
      {
        test: {
          ...test,
          name: "relaxed",
          include: ["test/**/*.test.ts"],
          exclude: [...once, PLAYGROUND],
          env: { NABLAS_SIMD: "relaxed" },
          execArgv,
        },
      },
      {
        test: {
          ...test,
          name: "debug",
          include: watched,
          env: { NABLAS_SIMD: "baseline", NABLAS_DEBUG: "1" },
        },
      },
      // What is shown at 60 frames a second needs the machine for itself.
      {
        test: {
          name: "playground",
          include: [`${PLAYGROUND}/*.test.ts`],
          testTimeout: 60_000,
          globalSetup: ["test/playground/build.ts"],
          sequence: { groupOrder: 1 },
          maxWorkers: 1,
        },
      },
    ],
  },
});
