/** x to the right, y down; a digit is about 2 high and 1.2 wide, with its middle at 0, 0. */
export type Point = readonly [x: number, y: number];

/** One line of the pen, as the points it passes through. */
export type Stroke = readonly Point[];

/** The ways to write each digit: `FONT[digit]` lists them, each as its strokes. */
export const FONT: Readonly<Record<number, readonly Stroke[][]>> = {
  0: [[arc(0, 0, 0.62, 0.95, -90, 270)], [arc(0, 0, 0.48, 0.95, -60, 300)]],
  1: [
    [line(-0.35, -0.55, 0.1, -0.95, 0.1, 0.95)],
    [line(0, -0.95, 0, 0.95)],
    [line(-0.3, -0.6, 0.05, -0.95, 0.05, 0.95), line(-0.4, 0.95, 0.45, 0.95)],
  ],
  2: [
    [[...arc(0, -0.45, 0.5, 0.5, 190, 390), ...line(-0.55, 0.95, 0.6, 0.95)]],
    [[...arc(0, -0.45, 0.52, 0.5, 210, 400), ...arc(-0.3, 0.7, 0.25, 0.22, 170, 320), ...line(0.6, 0.9)]],
  ],
  3: [
    [[...arc(-0.05, -0.47, 0.48, 0.48, 200, 440), ...arc(-0.05, 0.47, 0.58, 0.48, 280, 520)]],
    [[...line(-0.5, -0.95, 0.45, -0.95, -0.05, -0.2), ...arc(-0.05, 0.37, 0.55, 0.57, 270, 510)]],
  ],
  4: [
    [line(-0.25, -0.95, -0.55, 0.2, 0.6, 0.2), line(0.25, -0.35, 0.2, 0.95)],
    [line(0.25, 0.95, 0.25, -0.95, -0.6, 0.3, 0.6, 0.3)],
  ],
  5: [
    [[...line(0.5, -0.92, -0.4, -0.92, -0.45, -0.1), ...arc(-0.02, 0.36, 0.55, 0.58, 230, 510)]],
    [line(-0.35, -0.92, 0.55, -0.92), [...line(-0.35, -0.92, -0.4, 0), ...arc(0, 0.4, 0.5, 0.55, 230, 500)]],
  ],
  6: [
    [[...arc(0.35, 0.3, 0.85, 1.25, 270, 190), ...arc(0, 0.42, 0.5, 0.52, 180, -190)]],
    [[...line(0.1, -0.95, -0.4, 0.1), ...arc(0, 0.45, 0.48, 0.48, 190, -180)]],
  ],
  7: [
    [line(-0.55, -0.9, 0.55, -0.9, -0.1, 0.95)],
    [line(-0.55, -0.9, 0.55, -0.9, -0.1, 0.95), line(-0.35, 0.05, 0.5, 0.05)],
  ],
  8: [
    [arc(0, -0.48, 0.42, 0.46, 90, 450), arc(0, 0.46, 0.54, 0.49, -90, 270)],
    [[...arc(0, -0.5, 0.45, 0.45, -30, -240), ...arc(0, 0.45, 0.5, 0.5, -60, 240), ...line(0.4, -0.7)]],
  ],
  9: [
    [[...arc(0, -0.42, 0.5, 0.5, 0, -360), ...line(0.42, 0.3, 0.25, 0.95)]],
    [arc(0, -0.45, 0.48, 0.47, 0, 360), arc(-0.15, 0, 0.65, 0.95, -30, 110)],
  ],
};

/** `line(x0, y0, x1, y1, …)` */
function line(...coordinates: number[]): Point[] {
  const count = coordinates.length / 2;
  return Array.from({ length: count }, (_, i) => [coordinates[2 * i]!, coordinates[2 * i + 1]!]);
}

/** A part of an ellipse around cx, cy. In degrees, clockwise on the screen: 0 is right, 90 is down. */
function arc(cx: number, cy: number, rx: number, ry: number, from: number, to: number): Point[] {
  const steps = Math.ceil(Math.abs(to - from) / 30);
  return Array.from({ length: steps + 1 }, (_, i) => {
    const angle = ((from + ((to - from) * i) / steps) * Math.PI) / 180;
    return [cx + rx * Math.cos(angle), cy + ry * Math.sin(angle)];
  });
}
