// The address: #panel?setting=value&…, kept up to date, and followed when it changes.
import { effect, signal } from "@preact/signals";
import { format, parse } from "./settings";

export const PANELS = ["activations", "neuron", "train", "digits", "speed"] as const;
export type PanelName = (typeof PANELS)[number];

/** The panel that is shown. */
export const panel = signal<PanelName>("activations");

/** Milliseconds: browsers refuse more than some changes of the address a second. */
const PAUSE = 250;

/** Reads the address now and whenever it changes, and writes it when a setting changes. */
export function followLink(): void {
  // The hash that was last read or written; one that has changed differs from it until its event comes.
  let known = "";
  let timer: ReturnType<typeof setTimeout> | undefined;
  const write = () => {
    const hash = hashOf(panel.value);
    if (location.hash !== known || hash === known) return;
    history.replaceState(null, "", hash);
    known = location.hash;
  };
  const writeSoon = () => {
    clearTimeout(timer);
    timer = setTimeout(write, PAUSE);
  };
  const follow = () => {
    known = location.hash;
    read(known);
    writeSoon();
  };
  follow();
  addEventListener("hashchange", follow);
  effect(() => {
    // All that the hash is made of.
    hashOf(panel.value);
    writeSoon();
  });
}

/** The part of a link that restores a panel: what differs from its start. */
export function hashOf(name: PanelName): string {
  const parameters = format(name).toString();
  return `#${name}${parameters && `?${parameters}`}`;
}

function read(hash: string): void {
  const [name, parameters] = hash.slice(1).split("?", 2);
  const found = PANELS.find((candidate) => candidate === name);
  if (found === undefined) return;
  parse(found, new URLSearchParams(parameters));
  panel.value = found;
}
