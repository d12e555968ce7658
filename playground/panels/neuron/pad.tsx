// Weight and bias in a plane over the surface of the loss, with a start to drag.
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { digits } from "../../text";
import { EPOCHS, REACH } from "./kinds";
import { COLORS, chosen, picture, runs, SIDES, SIZE } from "./state";
import { text } from "./text";

/** The picture, and the plane in it. */
const FULL = 300;
const PLANE = { left: 26, top: 8, size: 266 };
const TICKS = [-4, -2, 0, 2, 4];

const across = (w: number) => PLANE.left + ((w + REACH) / (2 * REACH)) * PLANE.size;
const down = (b: number) => PLANE.top + ((REACH - b) / (2 * REACH)) * PLANE.size;

/** The value at a place from 0 to 1 of the way, in steps of the sliders. */
function valueAt(way: number): number {
  const value = Math.round((2 * way - 1) * REACH * 20) / 20;
  return Math.min(REACH, Math.max(-REACH, value));
}

export function Pad() {
  const { w, b } = chosen;
  const move = (event: PointerEvent & { currentTarget: SVGSVGElement }) => {
    const box = event.currentTarget.getBoundingClientRect();
    const scale = FULL / box.width;
    w.value = valueAt(((event.clientX - box.left) * scale - PLANE.left) / PLANE.size);
    b.value = valueAt(1 - ((event.clientY - box.top) * scale - PLANE.top) / PLANE.size);
  };
  return (
    <div class="pad">
      <Surface />
      <svg
        viewBox={`0 0 ${FULL} ${FULL}`}
        role="img"
        aria-label={text.value.pad(digits(w.value), digits(b.value))}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          move(event);
        }}
        onPointerMove={(event) => {
          if (event.currentTarget.hasPointerCapture(event.pointerId)) move(event);
        }}
      >
        <Axes />
        <Paths />
        <circle class="handle" cx={across(w.value)} cy={down(b.value)} r="8" />
      </svg>
    </div>
  );
}

function Axes() {
  const { left, top, size } = PLANE;
  return (
    <>
      <rect class="frame" x={left} y={top} width={size} height={size} />
      {TICKS.map((tick) => (
        <g key={tick}>
          <text x={across(tick)} y={top + size + 15} text-anchor="middle">
            {digits(tick)}
          </text>
          <text x={left - 6} y={down(tick) + 4} text-anchor="end">
            {digits(tick)}
          </text>
        </g>
      ))}
      <text class="name" x={across(3)} y={top + size + 16} text-anchor="middle">
        w
      </text>
      <text class="name" x={left - 7} y={down(3) + 4} text-anchor="end">
        b
      </text>
    </>
  );
}

/** Both paths lie on one line, since x = 1 moves w and b alike: each is drawn a little to its side. */
function Paths() {
  const clip = useId();
  const epoch = chosen.epoch.value;
  const { left, top, size } = PLANE;
  if (runs.value === undefined) return null;
  const paths = SIDES.map((side, i) => {
    const run = runs.value![side];
    const path = (until: number) =>
      Array.from({ length: until + 1 }, (_, at) => `${across(run.w[at]!)},${down(run.b[at]!)}`).join(" ");
    const shift = i === 0 ? -2 : 2;
    return (
      <g key={side} transform={`translate(${shift} ${shift})`} style={{ color: `var(--${COLORS[side]})` }}>
        <polyline class="path faint" points={path(EPOCHS)} />
        <polyline class="path" points={path(epoch)} />
        <circle class="place" cx={across(run.w[epoch]!)} cy={down(run.b[epoch]!)} r="5" />
      </g>
    );
  });
  return (
    <g clip-path={`url(#${clip})`}>
      <clipPath id={clip}>
        <rect x={left} y={top} width={size} height={size} />
      </clipPath>
      {paths}
    </g>
  );
}

/** The surface, the stronger the higher, with lines of equal height. */
function Surface() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const pixels = picture.value;
  useLayoutEffect(() => {
    if (pixels === undefined) return;
    canvas.current!.getContext("2d")!.putImageData(new ImageData(pixels, SIZE, SIZE), 0, 0);
  }, [pixels]);
  return <canvas ref={canvas} width={SIZE} height={SIZE} />;
}
