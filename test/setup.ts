// Every file runs on the binary that its project in vitest.config.ts names, and with NABLAS_THREADS=n on so many threads,
// which then divide whatever can be divided.
import { init } from "../src/index";
import { crew } from "../src/threads/threads";

const { NABLAS_SIMD: simd, NABLAS_THREADS: threads } = process.env;
await init({ simd: simd as "baseline" | "relaxed" });
if (threads !== undefined) {
  await init({ threads: Number(threads) });
  crew!.divideAll();
}
