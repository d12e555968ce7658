// Images of the network's pixels.
import { useLayoutEffect, useRef } from "preact/hooks";
import { color, dark } from "../../theme";

interface BitmapProps {
  /** [count, side, side], from 0 to 1; shown side by side. */
  pixels: Float32Array | undefined;
  side: number;
  label?: string;
}

/** Pixels in shades from paper to ink. */
export function Bitmap({ pixels, side, label }: BitmapProps) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const count = pixels === undefined ? 1 : pixels.length / (side * side);
  useLayoutEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    context.clearRect(0, 0, count * side, side);
    if (pixels === undefined) return;
    context.fillStyle = color("ink");
    pixels.forEach((ink, i) => {
      context.globalAlpha = ink;
      const column = (i % side) + side * Math.floor(i / (side * side));
      context.fillRect(column, Math.floor(i / side) % side, 1, 1);
    });
    context.globalAlpha = 1;
  }, [pixels, side, count, dark.value]);
  const role = label === undefined ? {} : ({ role: "img", "aria-label": label } as const);
  return <canvas ref={canvas} class="bitmap" width={count * side} height={side} {...role} />;
}
