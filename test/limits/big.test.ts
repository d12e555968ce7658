// Tensors of 2^31 bytes and beyond, and growth to the end of 4 GiB, in a process of their own.
import { execFile } from "node:child_process";
import os from "node:os";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const child = fileURLToPath(new URL("./big.child.ts", import.meta.url));
const enough = os.freemem() > 6 * 2 ** 30;

test.skipIf(!enough).each([1, 2])("4 GiB on %i threads", async (threads) => {
  const { stdout } = await run(process.execPath, ["--import", "tsx", child, String(threads)]);
  expect(stdout.trim()).toBe("[]");
});
