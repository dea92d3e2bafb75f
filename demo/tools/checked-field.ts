import { byId } from "../dom.ts";
import { type Parsed, problem } from "./parse-json.ts";

/** A field whose text is read into a value, with what is wrong with it written below. */
export interface CheckedField<T> {
  /** The value; where there is none, the problem is shown and the field marked. */
  read(): Parsed<T>;
  /** Takes the problem away: the field is not asked for any longer. */
  clear(): void;
  readonly field: HTMLInputElement | HTMLTextAreaElement;
}

/** Checks while the user types, but an empty field only when it is needed. `note` says what a good text amounts to. */
export function createCheckedField<T>(
  field: HTMLInputElement | HTMLTextAreaElement,
  parse: (text: string) => Parsed<T>,
  note: (value: T) => string = () => "",
): CheckedField<T> {
  const below = byId(`${field.id}-problem`, HTMLParagraphElement);

  function show(text: string, isWrong: boolean): void {
    below.textContent = text;
    below.dataset.state = isWrong ? "wrong" : "right";
    field.setAttribute("aria-invalid", String(isWrong));
  }

  function read(): Parsed<T> {
    const result = parse(field.value);
    if (result.ok) show(note(result.value), false);
    else show(result.problem, true);
    return result.ok ? result : problem(result.problem);
  }

  function clear(): void {
    show("", false);
  }

  field.addEventListener("input", () => {
    if (field.value.trim() === "") clear();
    else read();
  });
  return { field, read, clear };
}
