import { type Remote, wrap } from "comlink";
import type { Engines } from "./worker";
import EngineWorker from "./worker?worker&inline";

/** A worker with the library. The page itself computes nothing, so that it stays quick while networks train. */
export interface Engine<Name extends keyof Engines> {
  /** What engine/NAME.ts exports: all of its functions give promises here. */
  readonly remote: Remote<Engines[Name]>;
  end(): void;
}

export function startEngine<Name extends keyof Engines>(name: Name): Engine<Name> {
  const worker = new EngineWorker({ name });
  return { remote: wrap<Engines[Name]>(worker), end: () => worker.terminate() };
}
