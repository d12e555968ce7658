// What becomes of the checkpoint in a file when the process is killed, the disk is full, or the folder cannot be written to.
import { type SpawnSyncOptions, spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { loadCheckpoint, type TrainingState } from "../../src/index";
import { drawing } from "../fuzz/mutate";
import { EPOCHS, hashIn, trainer } from "./trainer";

/** Processes to kill: NABLAS_KILLS=200 takes a minute. */
const KILLS = Number(process.env.NABLAS_KILLS ?? 20);

const root = mkdtempSync(join(tmpdir(), "nablas-faults-"));
const args = (code: string) => ["--input-type=module", "--eval", code];
const folders: string[] = [];
function folder(): string {
  const path = join(root, String(folders.length));
  mkdirSync(path);
  folders.push(path);
  return path;
}

function train(cwd: string, options: Parameters<typeof trainer>[0] = {}, rest: SpawnSyncOptions = {}) {
  const { status, stdout, stderr } = spawnSync(process.execPath, args(trainer(options)), { cwd, ...rest });
  return { status, out: String(stdout), error: String(stderr) };
}

/** What the file is after each epoch of a training that nothing disturbs; undefined before the first. */
const hashes: (string | undefined)[] = [undefined];

beforeAll(() => {
  const cwd = folder();
  for (let epochs = 1; epochs <= EPOCHS; epochs++) {
    if (epochs > 3 && epochs < EPOCHS) continue;
    expect(train(cwd, { epochs }).error).toBe("");
    hashes[epochs] = hashIn(cwd);
  }
  expect(new Set(hashes.values()).size).toBeGreaterThan(4);
});

afterAll(() => rmSync(root, { recursive: true }));

/** Kills a training so many milliseconds after it has begun; whether it had ended before. */
async function killed(cwd: string, after: number): Promise<boolean> {
  const child = spawn(process.execPath, args(trainer()), { cwd, stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  await Promise.race([new Promise((resolve) => child.stdout.once("data", resolve)), ended]);
  await new Promise((resolve) => setTimeout(resolve, after));
  child.kill("SIGKILL");
  return (await ended) !== null;
}

/** The epoch after which a file that is there was written; it has to be whole, since the training goes on from it. */
function epochOf(cwd: string): number {
  if (hashIn(cwd) === undefined) return 0;
  let epoch = Number.NaN;
  const training = {
    stateDict: () => ({}),
    loadStateDict(state: TrainingState) {
      ({ epoch } = state);
    },
  };
  loadCheckpoint(readFileSync(join(cwd, "run.safetensors")), { training });
  return epoch;
}

test(`killed ${KILLS} times: the old checkpoint or the new one, and the same bits`, {
  timeout: 900_000 + 10_000 * KILLS,
}, async () => {
  const { below } = drawing(KILLS);
  let cwd = folder();
  let [kills, last, interrupted] = [0, 0, 0];
  while (kills < KILLS) {
    if (await killed(cwd, below(120))) {
      expect(hashIn(cwd)).toBe(hashes[EPOCHS]);
      [cwd, last] = [folder(), 0];
      continue;
    }
    kills++;
    const epoch = epochOf(cwd);
    expect(epoch).toBeGreaterThanOrEqual(last);
    if (hashes[epoch] !== undefined) expect(hashIn(cwd)).toBe(hashes[epoch]);
    last = epoch;
    const others = readdirSync(cwd).filter((name) => name !== "run.safetensors");
    if (others.length > 0) interrupted++;
    expect(others.every((name) => name === "run.partial")).toBe(true);
  }
  expect(train(cwd)).toMatchObject({ status: 0, error: "" });
  expect(hashIn(cwd)).toBe(hashes[EPOCHS]);
  // A training that had already ended writes nothing any more.
  if (last < EPOCHS) expect(readdirSync(cwd)).toEqual(["run.safetensors"]);
  if (process.env.NABLAS_KILLS) console.log({ kills, interrupted, trainings: folders.length - 1 });
});

describe("a disk that is full", () => {
  const disk = folder();
  /** In a mount namespace of its own, which goes with the process. */
  const mounted = (script: string) =>
    spawnSync(
      "unshare",
      ["-rm", "sh", "-ec", `mount -t tmpfs -o size=1m tmpfs "$DISK"; cd "$DISK"; ${script}`],
      {
        encoding: "utf8",
        env: { ...process.env, DISK: disk, NODE: process.execPath, TRAINER: trainer() },
      },
    );
  const possible = mounted("true").status === 0;
  if (!possible) console.warn("SKIPPED a full disk: no file system can be mounted here");

  test.skipIf(!possible)(
    "ENOSPC reaches the caller, the old checkpoint stays, and the training goes on from it",
    () => {
      const { stdout, stderr } = mounted(`
      run() { "$NODE" --input-type=module --eval "$TRAINER" || echo "status $?"; sha256sum run.safetensors; ls; }
      run; mount -o remount,size=8m "$DISK"; run`);
      expect(stderr).toContain("ENOSPC");
      const lines = stdout.split("\n");
      const first = ["trains", "status 1", `${hashes[1]}  run.safetensors`, "run.partial", "run.safetensors"];
      expect(lines).toEqual([
        ...first,
        "trains",
        "done",
        `${hashes[EPOCHS]}  run.safetensors`,
        "run.safetensors",
        "",
      ]);
    },
  );

  test.skipIf(process.platform === "win32")("so does EFBIG where files may not be as large", () => {
    const cwd = folder();
    train(cwd, { epochs: 2 });
    const limited = spawnSync(
      "sh",
      ["-c", 'ulimit -f 200; exec "$@"', "sh", process.execPath, ...args(trainer())],
      {
        cwd,
        encoding: "utf8",
      },
    );
    expect(limited.status).toBe(1);
    expect(limited.stderr).toContain("EFBIG");
    expect(hashIn(cwd)).toBe(hashes[2]);
    expect(train(cwd)).toMatchObject({ status: 0, error: "" });
    expect(hashIn(cwd)).toBe(hashes[EPOCHS]);
    expect(readdirSync(cwd)).toEqual(["run.safetensors"]);
  });
});

describe("a file that cannot be written", () => {
  // Root may write everywhere. Another user needs a Node and a package that are not in root's own folder.
  const nobody = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534 } : {};
  const program = args(`import ${JSON.stringify(new URL("../../dist/index.js", import.meta.url).href)}`);
  const able = process.platform !== "win32" && spawnSync(process.execPath, program, nobody).status === 0;
  if (!able)
    console.warn(
      "skipped: a folder for reading only, since another user cannot run Node and the package here",
    );

  test.skipIf(!able)("in a folder for reading only", () => {
    const cwd = folder();
    train(cwd, { epochs: 1 });
    chmodSync(root, 0o755);
    chmodSync(cwd, 0o555);
    const { status, error } = train(cwd, {}, nobody);
    chmodSync(cwd, 0o755);
    expect(status).toBe(1);
    expect(error).toContain("EACCES");
    expect(hashIn(cwd)).toBe(hashes[1]);
    expect(readdirSync(cwd)).toEqual(["run.safetensors"]);
  });

  test("where there is a folder of its name", () => {
    const cwd = folder();
    mkdirSync(join(cwd, "run.safetensors", "full"), { recursive: true });
    const { status, error } = train(cwd);
    expect(status).toBe(1);
    expect(error).toMatch(/EISDIR|ENOTEMPTY|EPERM/);
    expect(readdirSync(join(cwd, "run.safetensors"))).toEqual(["full"]);
  });

  test("in a folder that is not there", () => {
    const cwd = folder();
    const { status, error } = train(cwd, { file: "missing/run" });
    expect(status).toBe(1);
    expect(error).toContain("ENOENT");
    expect(readdirSync(cwd)).toEqual([]);
  });
});
