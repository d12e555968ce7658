// Every file runs on the binary that its project in vitest.config.ts names.
import { init } from "../src/index";

await init({ simd: process.env.NABLAS_SIMD as "baseline" | "relaxed" });
