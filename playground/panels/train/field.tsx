// The plane: what the network answers, beneath the points.
import { useSignal } from "@preact/signals";
import type { TargetedPointerEvent } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { ShownPoint } from "../../engine/train/index";
import { digits, percent } from "../../text";
import { color, dark } from "../../theme";
import { CLASS_COLORS, frame, picture, points } from "./player";
import { type Point, REACH } from "./spec";
import { brush, MOST_POINTS, set } from "./state";
import { text } from "./text";

/** Of a step of the cross by keyboard. */
const STRIDE = REACH / 30;
/** Of a point, in pixels of the page. */
const RADIUS = 4;

type Place = Pick<Point, "x" | "y">;

/** The answers as colours, the points on them, and, for those who draw their own, a cross for the keyboard. */
export function Field() {
  const cross = useSignal<Place | undefined>(undefined);
  const own = set.data.value === "own";
  const accuracy = frame.value?.test?.accuracy;
  const rights = accuracy === undefined ? "" : `${text.value.testAccuracy}: ${percent(accuracy)}`;
  const add = ({ x, y }: Place) => {
    if (set.points.value.length < MOST_POINTS)
      set.points.value = [...set.points.value, { x, y, label: brush.value }];
  };
  return (
    <div class="field">
      {own ? (
        <div
          class="plane drawn"
          role="application"
          aria-label={`${text.value.field}. ${text.value.ownHelp}`}
          // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes the keys
          tabIndex={0}
          onPointerDown={(event) => event.button === 0 && add(placeOf(event))}
          onKeyDown={(event) => move(event, cross, add)}
        >
          <Answers />
          <Points cross={cross.value} />
          {points.value.length === 0 && <p class="empty">{text.value.empty}</p>}
        </div>
      ) : (
        <div class="plane" role="img" aria-label={text.value.fieldOf(rights)}>
          <Answers />
          <Points cross={undefined} />
        </div>
      )}
      <p class="visually-hidden" aria-live="polite">
        {own && cross.value && text.value.cross(digits(cross.value.x, 2), digits(cross.value.y, 2))}
      </p>
    </div>
  );
}

function placeOf({ currentTarget, clientX, clientY }: TargetedPointerEvent<HTMLElement>): Place {
  const { left, top, width, height } = currentTarget.getBoundingClientRect();
  return {
    x: REACH * ((2 * (clientX - left)) / width - 1),
    y: -REACH * ((2 * (clientY - top)) / height - 1),
  };
}

function move(event: KeyboardEvent, cross: { value: Place | undefined }, add: (place: Place) => void): void {
  const ways: Record<string, [number, number]> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, 1],
    ArrowDown: [0, -1],
  };
  const at = cross.value ?? { x: 0, y: 0 };
  const way = ways[event.key];
  if (way !== undefined) {
    const within = (x: number) => Math.min(Math.max(x, -REACH), REACH);
    cross.value = { x: within(at.x + STRIDE * way[0]), y: within(at.y + STRIDE * way[1]) };
  } else if (event.key === "Enter" || event.key === " ") {
    cross.value = at;
    add(at);
  } else if (event.key === "Backspace") set.points.value = set.points.value.slice(0, -1);
  else return;
  event.preventDefault();
}

function Answers() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = picture.value;
  useLayoutEffect(() => {
    if (shown === undefined) return;
    const { side, pixels } = shown;
    if (canvas.current!.width !== side) [canvas.current!.width, canvas.current!.height] = [side, side];
    canvas.current!.getContext("2d")!.putImageData(new ImageData(pixels, side, side), 0, 0);
  }, [shown]);
  return <canvas ref={canvas} />;
}

function Points({ cross }: { cross: Place | undefined }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [shown, isDark] = [points.value, dark.value];
  useLayoutEffect(() => {
    const draw = () => drawPoints(canvas.current!, shown, cross);
    const observer = new ResizeObserver(draw);
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, [shown, isDark, cross]);
  return <canvas ref={canvas} />;
}

function drawPoints(canvas: HTMLCanvasElement, shown: readonly ShownPoint[], cross: Place | undefined): void {
  const { clientWidth: width, clientHeight: height } = canvas;
  const ratio = devicePixelRatio;
  [canvas.width, canvas.height] = [width * ratio, height * ratio];
  const context = canvas.getContext("2d")!;
  context.scale(ratio, ratio);
  const place = ({ x, y }: Place) => [((x / REACH + 1) / 2) * width, ((1 - y / REACH) / 2) * height] as const;
  const colors = CLASS_COLORS.map(color);
  const paper = color("card");
  for (const point of shown) {
    const [x, y] = place(point);
    context.beginPath();
    SHAPES[point.label]!(context, x, y, RADIUS);
    context.lineWidth = point.test ? 2 : 1;
    context.fillStyle = point.test ? paper : colors[point.label]!;
    context.strokeStyle = point.test ? colors[point.label]! : paper;
    context.fill();
    context.stroke();
  }
  if (cross === undefined) return;
  const [x, y] = place(cross);
  context.beginPath();
  context.moveTo(x - 9, y);
  context.lineTo(x + 9, y);
  context.moveTo(x, y - 9);
  context.lineTo(x, y + 9);
  context.lineWidth = 2;
  context.strokeStyle = color("ink");
  context.stroke();
}

type Shape = (context: CanvasRenderingContext2D, x: number, y: number, r: number) => void;

const polygon =
  (...corners: [number, number][]): Shape =>
  (context, x, y, r) => {
    for (const [dx, dy] of corners) context.lineTo(x + r * dx, y + r * dy);
    context.closePath();
  };

/** By class: nobody needs the colours. */
const SHAPES: readonly Shape[] = [
  (context, x, y, r) => context.arc(x, y, r, 0, 2 * Math.PI),
  polygon([0, -1.25], [1.1, 0.8], [-1.1, 0.8]),
  polygon([-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]),
  polygon([0, -1.35], [1.15, 0], [0, 1.35], [-1.15, 0]),
];
