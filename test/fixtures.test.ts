import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fixtures, pack, runFixture } from "./fixtures/fixtures";

// The quick projects of `npm run test:matrix`, with the Node that runs and in the first of their browsers.
const folder = mkdtempSync(join(tmpdir(), "nablas-fixtures-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let tarball: string;
beforeAll(async () => {
  tarball = await pack(folder);
});

const fast = fixtures().filter((fixture) => fixture.fast);

test.for(fast)("$name", async (fixture, { skip }) => {
  const once = { ...fixture, nodes: [], browsers: fixture.browsers.slice(0, 1) };
  for await (const outcome of runFixture(once, tarball, folder)) {
    if (outcome.result === "skipped") {
      console.log(`skipped ${outcome.title}: ${outcome.detail}`);
      skip(outcome.detail);
    }
    expect(outcome).toMatchObject({ result: "passed" });
  }
});
