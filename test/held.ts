// What is alive in the library, and tests that leave nothing of theirs behind.
import { afterEach, beforeEach, expect } from "vitest";
import { settle } from "../scripts/soak/gauge";
import { memory } from "../src/index";

/** What is alive; linear memory itself never shrinks. */
export function held() {
  const { bytes, tensors } = memory();
  return { bytes, tensors };
}

/** What is alive once all garbage is gone: none can go later, while a test waits for something. */
export async function heldForGood() {
  await settle();
  return held();
}

interface Disposable {
  dispose(): void;
}

/** After each test of the file nothing may be left: what is handed to the function that this gives is disposed of before. */
export function leaveNothing(): <T extends Disposable>(item: T) => T {
  let start = held();
  let made: Disposable[] = [];
  beforeEach(() => {
    start = held();
    made = [];
  });
  afterEach(() => {
    for (const item of made) item.dispose();
    expect(held()).toEqual(start);
  });
  return (item) => {
    made.push(item);
    return item;
  };
}
