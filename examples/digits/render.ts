import { PIXELS, SIDE } from "./data";

const SHADES = " ░▒▓█";

/** The images of `x` (pixels from 0 to 1) side by side, two characters per pixel. */
export function renderDigits(x: Float32Array): string {
  const lines = Array.from({ length: SIDE }, (_, row) => {
    const parts: string[] = [];
    for (let image = 0; image < x.length; image += PIXELS) {
      const start = image + row * SIDE;
      parts.push(Array.from(x.subarray(start, start + SIDE), shade).join(""));
    }
    return parts.join(" ").trimEnd();
  });
  return lines.join("\n");
}

function shade(pixel: number): string {
  return SHADES[Math.round(pixel * (SHADES.length - 1))]!.repeat(2);
}
