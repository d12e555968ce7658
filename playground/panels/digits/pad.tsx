// Where one draws: by pointer, pen or finger, or by keyboard.
import { signal, useSignal } from "@preact/signals";
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Point, Stroke } from "../../../examples/digits/font";
import type { Drawing } from "../../engine/digits/types";
import { color, dark } from "../../theme";
import { begin, clear, drawing, go, isBlank, undo } from "./state";
import { text } from "./text";

/** In parts of the pad: the line, and the way that the pen goes at a press of a key. */
const LINE = 0.06;
const STEP = 1 / 24;

/** The id of what tells of the keys. */
export const HELP = "digits-keys";

/** The pen that the keyboard moves. */
const pen = signal({ x: 0.5, y: 0.2, down: false });
const penShown = signal(false);
const pressed = new Set<string>();
const ARROWS: Record<string, Point> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, -1],
  ArrowDown: [0, 1],
};

export function Pad() {
  const canvas = useRef<HTMLCanvasElement>(null);
  const shown = penShown.value ? pen.value : undefined;
  const size = useSignal(0);
  useLayoutEffect(() => {
    const observer = new ResizeObserver(([entry]) => {
      size.value = Math.round(entry!.contentRect.width * devicePixelRatio);
    });
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    if (size.value > 0) paint(canvas.current!, drawing.value, shown);
  }, [size.value, drawing.value, shown, dark.value]);
  return (
    <>
      <div
        class="pad"
        role="application"
        aria-label={text.value.area}
        aria-describedby={HELP}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes keys
        tabIndex={0}
        onPointerDown={press}
        onPointerMove={move}
        onKeyDown={onKey}
        onKeyUp={({ key }) => pressed.delete(key)}
        onBlur={() => {
          penShown.value = false;
          pressed.clear();
          lift();
        }}
      >
        <canvas ref={canvas} width={size.value} height={size.value} />
        {isBlank.value && !penShown.value && (
          <span class="hint" aria-hidden="true">
            {text.value.hint}
          </span>
        )}
      </div>
      <p class="visually-hidden" role="status">
        {penShown.value && (pen.value.down ? text.value.penDown : text.value.penUp)}
      </p>
    </>
  );
}

function press(event: PointerEvent & { currentTarget: HTMLElement }): void {
  if (event.button !== 0 || !event.isPrimary) return;
  penShown.value = false;
  lift();
  event.currentTarget.setPointerCapture(event.pointerId);
  begin(pointOf(event, event.currentTarget));
}

function move(event: PointerEvent & { currentTarget: HTMLElement }): void {
  const { currentTarget: pad, pointerId } = event;
  if (!pad.hasPointerCapture(pointerId) || event.buttons === 0) return;
  const events = event.getCoalescedEvents?.() ?? [];
  go((events.length > 0 ? events : [event]).map((passed) => pointOf(passed, pad)));
}

function pointOf({ clientX, clientY }: PointerEvent, pad: HTMLElement): Point {
  const { left, top, width, height } = pad.getBoundingClientRect();
  return [(clientX - left) / width, (clientY - top) / height];
}

function onKey(event: KeyboardEvent): void {
  const { key, ctrlKey, metaKey, altKey } = event;
  const undoes = key === "Backspace" || (key.toLowerCase() === "z" && (ctrlKey || metaKey));
  const known = undoes || key === " " || key === "Escape" || Object.hasOwn(ARROWS, key);
  if (!known || altKey || ((ctrlKey || metaKey) && !undoes)) return;
  event.preventDefault();
  penShown.value = true;
  if (undoes || key === "Escape") {
    lift();
    (undoes ? undo : clear)();
  } else if (key === " ") toggle(event.repeat);
  else {
    pressed.add(key);
    walk();
  }
}

function toggle(repeated: boolean): void {
  if (repeated) return;
  const { x, y, down } = pen.value;
  pen.value = { x, y, down: !down };
  if (!down) begin([x, y]);
}

function lift(): void {
  if (pen.value.down) pen.value = { ...pen.value, down: false };
}

/** Moves the pen by the arrows that are held: two of them lead across. */
function walk(): void {
  let { x, y, down } = pen.value;
  for (const key of pressed) {
    x += STEP * ARROWS[key]![0];
    y += STEP * ARROWS[key]![1];
  }
  const within = (place: number) => Math.min(0.97, Math.max(0.03, place));
  pen.value = { x: within(x), y: within(y), down };
  if (down) go([[pen.value.x, pen.value.y]]);
}

type Pen = typeof pen.value;

function paint(canvas: HTMLCanvasElement, { strokes, image }: Drawing, shown: Pen | undefined): void {
  const size = canvas.width;
  const context = canvas.getContext("2d")!;
  context.clearRect(0, 0, size, size);
  context.fillStyle = context.strokeStyle = color("ink");
  if (image !== undefined) paintImage(context, image, size);
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = LINE * size;
  for (const stroke of strokes ?? []) paintStroke(context, stroke, size);
  if (shown === undefined) return;
  context.strokeStyle = context.fillStyle = color("accent");
  context.lineWidth = Math.max(2, size / 140);
  context.beginPath();
  context.arc(shown.x * size, shown.y * size, LINE * size * 0.75, 0, 2 * Math.PI);
  if (shown.down) context.fill();
  else context.stroke();
}

function paintStroke(context: CanvasRenderingContext2D, stroke: Stroke, size: number): void {
  context.beginPath();
  const [x, y] = stroke[0]!;
  context.moveTo(x * size, y * size);
  context.lineTo(x * size, y * size);
  for (const [x, y] of stroke) context.lineTo(x * size, y * size);
  context.stroke();
}

function paintImage(context: CanvasRenderingContext2D, image: Float32Array, size: number): void {
  const side = Math.sqrt(image.length);
  const edge = (place: number) => Math.round((place * size) / side);
  image.forEach((ink, i) => {
    const [column, row] = [i % side, Math.floor(i / side)];
    const [x, y] = [edge(column), edge(row)];
    context.globalAlpha = ink;
    context.fillRect(x, y, edge(column + 1) - x, edge(row + 1) - y);
  });
  context.globalAlpha = 1;
}
