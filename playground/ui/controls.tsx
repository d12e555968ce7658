// The controls: each has a visible label, and works by keyboard.
import type { Signal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useId } from "preact/hooks";
import { digits } from "../text";

interface SliderProps {
  label: string;
  value: Signal<number>;
  min: number;
  max: number;
  /** Of the value, or of its decimal logarithm. Default: a hundredth of the way. */
  step?: number;
  /** Equal ways multiply the value. */
  log?: boolean;
  disabled?: boolean;
  show?: (value: number) => string;
}

/** A number by its place on a line. */
export function Slider({ label, value, min, max, step, log = false, disabled, show = digits }: SliderProps) {
  const id = useId();
  const [to, from] = log ? [Math.log10, (x: number) => Number((10 ** x).toPrecision(3))] : [Number, Number];
  return (
    <div class="control">
      <label for={id}>{label}</label>
      <output for={id}>{show(value.value)}</output>
      <input
        id={id}
        type="range"
        min={to(min)}
        max={to(max)}
        step={step ?? (to(max) - to(min)) / 100}
        value={to(value.value)}
        disabled={disabled ?? false}
        aria-valuetext={show(value.value)}
        onInput={(event) => {
          value.value = Math.min(max, Math.max(min, from(Number(event.currentTarget.value))));
        }}
      />
    </div>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: Signal<T>;
  /** Values with their texts; by group, where a group has a name. */
  options:
    | Readonly<Record<T, string>>
    | readonly { group: string; options: Readonly<Partial<Record<T, string>>> }[];
  disabled?: boolean;
}

/** Names as the options of a Choice, with their texts where there are some. */
export function named<T extends string>(
  names: readonly T[],
  texts?: Readonly<Record<T, string>>,
): Record<T, string> {
  return Object.fromEntries(names.map((name) => [name, texts?.[name] ?? name])) as Record<T, string>;
}

/** One of some. */
export function Choice<T extends string>({ label, value, options, disabled }: ChoiceProps<T>) {
  const id = useId();
  const items = (of: object) =>
    Object.entries(of).map(([name, text]) => (
      <option key={name} value={name} selected={name === value.value}>
        {text}
      </option>
    ));
  return (
    <div class="control">
      <label for={id}>{label}</label>
      <select
        id={id}
        disabled={disabled ?? false}
        onChange={(event) => {
          value.value = event.currentTarget.value as T;
        }}
      >
        {Array.isArray(options)
          ? options.map(({ group, options }) => (
              <optgroup key={group} label={group}>
                {items(options)}
              </optgroup>
            ))
          : items(options)}
      </select>
    </div>
  );
}

/** Yes or no. */
export function Check({ label, value }: { label: string; value: Signal<boolean> }) {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={value.value}
        onChange={(event) => {
          value.value = event.currentTarget.checked;
        }}
      />
      {label}
    </label>
  );
}

/** A whole number to type. */
export function Count({
  label,
  value,
  min,
  max,
}: {
  label: string;
  value: Signal<number>;
  min: number;
  max: number;
}) {
  const id = useId();
  return (
    <div class="control">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="number"
        min={min}
        max={max}
        step={1}
        value={value.value}
        onChange={({ currentTarget }) => {
          const typed = Math.round(Number(currentTarget.value));
          value.value = Number.isFinite(typed) ? Math.min(max, Math.max(min, typed)) : value.value;
          currentTarget.value = String(value.value);
        }}
      />
    </div>
  );
}

interface ButtonProps {
  children: ComponentChildren;
  onClick: () => void;
  /** The one that people mostly want. */
  primary?: boolean;
  disabled?: boolean;
  pressed?: boolean;
  /** Where the children are only a sign. */
  label?: string;
}

export function Button({
  children,
  onClick,
  primary = false,
  disabled = false,
  pressed,
  label,
}: ButtonProps) {
  return (
    <button
      type="button"
      class={primary ? "primary" : ""}
      disabled={disabled}
      aria-pressed={pressed}
      aria-label={label}
      title={label}
      onClick={onClick}
    >
      {children}
    </button>
  );
}

/** A part of a panel with its heading. */
export function Card({
  title,
  children,
  class: name = "",
}: {
  title?: string;
  children: ComponentChildren;
  class?: string;
}) {
  const id = useId();
  return (
    <section class={`card ${name}`} aria-labelledby={title === undefined ? undefined : id}>
      {title !== undefined && <h3 id={id}>{title}</h3>}
      {children}
    </section>
  );
}
