// Digits as people draw them: by mouse, by finger, by keyboard.
import type { Page } from "playwright-core";

type Point = readonly [x: number, y: number];

/** From 0 to 1 in both directions. */
const WRITTEN: Record<number, readonly (readonly Point[])[]> = {
  1: [line(0.5, 0.12, 0.5, 0.88)],
  2: [[...arc(0.5, 0.33, 0.2, 0.19, 190, 395), ...line(0.3, 0.86, 0.74, 0.86)]],
  4: [line(0.42, 0.12, 0.26, 0.6, 0.76, 0.6), line(0.6, 0.38, 0.58, 0.9)],
  7: [line(0.28, 0.16, 0.72, 0.16, 0.44, 0.88)],
};

function line(...places: number[]): Point[] {
  return Array.from({ length: places.length / 2 }, (_, i) => [places[2 * i]!, places[2 * i + 1]!]);
}

/** Degrees, clockwise from the right. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): Point[] {
  return Array.from({ length: 12 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / 11) * Math.PI) / 180;
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
  });
}

/** The strokes of a digit on the page. */
async function strokes(page: Page, digit: number): Promise<Point[][]> {
  const { x, y, width, height } = (await page.getByRole("application").boundingBox())!;
  return WRITTEN[digit]!.map((stroke) => stroke.map(([u, v]) => [x + u * width, y + v * height]));
}

/** By mouse. */
export async function draw(page: Page, digit: number): Promise<void> {
  await page.getByRole("application").scrollIntoViewIfNeeded();
  for (const [first, ...rest] of await strokes(page, digit)) {
    await page.mouse.move(...first!);
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...point, { steps: 3 });
    await page.mouse.up();
  }
}

/** By a finger, with points between the corners. */
export async function fingerDraw(page: Page, digit: number): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", points: readonly Point[]) =>
    session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y]) => ({ x, y })) });
  for (const [first, ...rest] of await strokes(page, digit)) {
    await touch("touchStart", [first!]);
    let [x, y] = first!;
    for (const [toX, toY] of rest) {
      for (const part of [0.25, 0.5, 0.75, 1]) {
        await touch("touchMove", [[x + part * (toX - x), y + part * (toY - y)]]);
      }
      [x, y] = [toX, toY];
    }
    await touch("touchEnd", []);
  }
}

/** A 7 by the arrows of the keyboard, two of which lead across. */
export async function keysDraw(page: Page): Promise<void> {
  const press = async (key: string, times: number) => {
    for (let i = 0; i < times; i++) await page.keyboard.press(key);
  };
  await press("ArrowLeft", 5);
  await press("Space", 1);
  await press("ArrowRight", 10);
  await page.keyboard.down("ArrowLeft");
  await press("ArrowDown", 5);
  await page.keyboard.up("ArrowLeft");
  await press("ArrowDown", 8);
  await press("Space", 1);
}
