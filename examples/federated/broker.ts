import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { InputError } from "../digits/input-error";

export interface Broker {
  url: string;
  stop(): Promise<void>;
}

/** Debian has it in a folder that only root's PATH has. */
const env = { ...process.env, PATH: `${process.env.PATH}:/usr/sbin` };

/** Whether there is a nats-server to start. */
export function hasBroker(): boolean {
  return spawnSync("nats-server", ["--version"], { env }).status === 0;
}

/**
 * Starts a nats-server with JetStream on a free port of this machine, with its files in a folder of its own.
 * @throws InputError if there is none
 */
export async function startBroker(): Promise<Broker> {
  if (!hasBroker())
    throw new InputError(
      "nats-server is missing: install it (apt-get install nats-server), or give --server URL",
    );
  const folder = mkdtempSync(join(tmpdir(), "nablas-nats-"));
  const args = ["--addr", "127.0.0.1", "--port", "-1", "--jetstream", "--store_dir", folder];
  const server = spawn("nats-server", [...args, "--ports_file_dir", folder], { env, stdio: "ignore" });
  const ended = once(server, "exit");
  const stop = async () => {
    server.kill();
    await ended;
    rmSync(folder, { recursive: true, force: true });
  };
  const url = await readUrl(server, join(folder, `nats-server_${server.pid}.ports`));
  if (url !== undefined) return { url, stop };
  await stop();
  throw new InputError("nats-server does not start");
}

async function readUrl(server: ChildProcess, path: string): Promise<string | undefined> {
  for (let tries = 0; tries < 200 && server.exitCode === null; tries++) {
    await sleep(50);
    if (!existsSync(path)) continue;
    const text = readFileSync(path, "utf8");
    if (text.endsWith("}")) return (JSON.parse(text) as { nats: string[] }).nats[0];
  }
  return undefined;
}
