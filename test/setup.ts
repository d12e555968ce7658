// Every file runs on the binary that its project in vitest.config.ts names; with NABLAS_THREADS=n on so many threads, which
// then divide whatever can be divided; and with NABLAS_DEBUG=1 in debug mode.
import { init } from "../src/index";
import { patience } from "../src/threads/pool";
import { crew } from "../src/threads/threads";

// However busy the machine is, a thread that lives has its time.
Object.assign(patience, { start: 300_000, piece: 300_000 });

const { NABLAS_SIMD: simd, NABLAS_THREADS: threads, NABLAS_DEBUG: debug } = process.env;
await init({ simd: simd as "baseline" | "relaxed", debug: debug === "1" });
if (threads !== undefined) {
  await init({ threads: Number(threads) });
  crew!.divideAll();
}
