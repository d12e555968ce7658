import { type Batch, PIXELS, SIDE } from "./data";

const SHADES = " ░▒▓█";
const SHOWN = 4;
const IMAGE_WIDTH = 2 * SIDE;

/** The first digits, each above the answer of the network. */
export function describeDigits({ x, labels }: Batch, predictions: Int32Array): string {
  const answers = Array.from(predictions.subarray(0, SHOWN), (prediction, i) => {
    const answer = prediction === labels[i] ? `read as ${prediction}` : `${labels[i]}, read as ${prediction}`;
    return answer.padEnd(IMAGE_WIDTH);
  });
  return `${renderDigits(x.subarray(0, SHOWN * PIXELS))}\n${answers.join(" ").trimEnd()}\n`;
}

/** The images of `x` (pixels from 0 to 1) side by side, two characters per pixel. */
function renderDigits(x: Float32Array): string {
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
