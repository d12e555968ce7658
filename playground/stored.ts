import { effect, type Signal, signal } from "@preact/signals";

/** A choice that the browser remembers, where it lets pages remember. */
export function stored<T extends string>(name: string, initial: T, options: readonly T[]): Signal<T> {
  const key = `nablas-playground-${name}`;
  const choice = signal(options.find((option) => option === read(key)) ?? initial);
  effect(() => {
    try {
      localStorage.setItem(key, choice.value);
    } catch {
      // Private windows and pages from disk may have no storage: then the choice holds until the page is closed.
    }
  });
  return choice;
}

function read(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}
