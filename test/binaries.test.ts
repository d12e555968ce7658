import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { init, matmul, OptionError, scope, tensor } from "../src/index";
import { hasRelaxedSimd } from "../src/wasm";

const wanted = process.env.NABLAS_SIMD;
const other = wanted === "relaxed" ? "baseline" : "relaxed";

/** What a process of its own prints that runs `code` with the package as it is built. */
function print(code: string, ...flags: string[]): unknown {
  const script = `import { init, tensor } from ${JSON.stringify(new URL("../dist/index.js", import.meta.url))};
    const asked = async (options) => {
      try { return await init(options); } catch (error) { return String(error); }
    };
    console.log(JSON.stringify(await (async () => { ${code} })()));`;
  const args = [...flags, "--input-type=module", "-e", script];
  const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect(stderr).toBe("");
  return JSON.parse(stdout);
}

const old = Number(process.versions.node.split(".")[0]) < 21;
const flags = old ? ["--experimental-wasm-relaxed-simd"] : [];

test("these tests run on the binary of their project", async () => {
  expect(await init()).toEqual({ simd: wanted, threads: 1 });
  // x² − r(x²) is what rounding took away, r being the rounding: only a fused multiply-add sees it.
  const x = 1 + 2 ** -12;
  const lost = scope(() => {
    const rows = tensor([[1, x]]).reshape([1, 2]);
    const columns = tensor([
      [-Math.fround(x * x), 0],
      [x, 0],
    ]);
    return matmul(rows, columns).data[0];
  });
  if (wanted === "baseline") expect(lost).toBe(0);
  else expect([0, 2 ** -24]).toContain(lost);
});

describe("init", () => {
  test("takes the best that the engine has", () => {
    expect(print("return init();", ...flags)).toEqual({ simd: "relaxed", threads: 1 });
    expect(print("return init();")).toEqual({ simd: old ? "baseline" : "relaxed", threads: 1 });
  });

  test("is obeyed, and may be called again", () => {
    expect(print('await init({ simd: "baseline" }); return init();', ...flags)).toMatchObject({
      simd: "baseline",
    });
    expect(print("await init({ deterministic: true }); return init();", ...flags)).toMatchObject({
      simd: "baseline",
    });
    const again =
      'await init({ simd: "relaxed" }); tensor([1]); return init({ simd: "relaxed", debug: true });';
    expect(print(again, ...flags)).toMatchObject({ simd: "relaxed" });
  });

  test("cannot exchange a binary that runs", async () => {
    const before = await init();
    if (other === "relaxed" && !hasRelaxedSimd()) return;
    await expect(init({ simd: other })).rejects.toThrow(OptionError);
    await expect(init({ simd: other })).rejects.toThrow(
      `init: expected to be called before the first tensor is made, to choose the ${other} binary; ${wanted} is running`,
    );
    expect(await init()).toEqual(before);
    const late = 'tensor([1]); return asked({ simd: "baseline" });';
    expect(print(late, ...flags)).toContain(
      "OptionError: init: expected to be called before the first tensor",
    );
  });

  test("says what it cannot do", async () => {
    await expect(init({ simd: "fast" as never })).rejects.toThrow(
      'init: simd is "baseline" or "relaxed", got "fast"',
    );
    await expect(init({ simd: "relaxed", deterministic: true })).rejects.toThrow(
      "deterministic keeps to the baseline",
    );
    await expect(init({ simd: null as never, thread: 2 } as object)).rejects.toThrow(
      'unknown option "thread"',
    );
  });

  test.runIf(old)("says which flag the engine lacks", () => {
    expect(print('return asked({ simd: "relaxed" });')).toContain(
      "OptionError: init: this engine has no relaxed SIMD; leave simd out, or in Node 20 pass --experimental-wasm-relaxed-simd",
    );
  });
});
