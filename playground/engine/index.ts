import { signal } from "@preact/signals";
import { type Remote, wrap } from "comlink";
import { ALIVE } from "./alive";
import type { Engines } from "./worker";
import EngineWorker from "./worker?worker&inline";

/** A worker with the library. The page itself computes nothing, so that it stays quick while networks train. */
export interface Engine<Name extends keyof Engines> {
  /** What engine/NAME.ts exports: all of its functions give promises here. */
  readonly remote: Remote<Engines[Name]>;
  end(): void;
}

/** Engines of which a worker has died: it answers nothing more, and whoever waits for it waits for good. */
export const lost = signal<readonly (keyof Engines)[]>([]);

export function startEngine<Name extends keyof Engines>(name: Name): Engine<Name> {
  const lock = `${name} ${Math.random()}`;
  const worker = new EngineWorker({ name: lock });
  const ended = new AbortController();
  // No event tells that a worker has died, but its lock is free then.
  worker.addEventListener("message", ({ data }) => {
    if (data !== ALIVE) return;
    // Browsers may grant a lock although its request was aborted in time.
    const died = () => {
      if (!ended.signal.aborted) lost.value = [...lost.value, name];
    };
    navigator.locks.request(lock, { signal: ended.signal }, died).catch(() => {});
  });
  const end = () => {
    ended.abort();
    worker.terminate();
  };
  return { remote: wrap<Engines[Name]>(worker), end };
}
