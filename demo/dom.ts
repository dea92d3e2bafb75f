/** The element with this id, checked to be of the type the page expects. */
export function byId<T extends HTMLElement>(id: string, type: new () => T): T {
  const element = document.getElementById(id);
  if (element instanceof type) return element;
  throw new Error(`index.html has no ${type.name} with id ${id}.`);
}

interface MakeOptions {
  readonly className?: string;
  readonly testId?: string;
  readonly text?: string;
}

/** A new element. Text is always set as text: nothing on this page is parsed as HTML. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { className, testId, text }: MakeOptions = {},
  children: readonly Node[] = [],
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (className !== undefined) element.className = className;
  if (testId !== undefined) element.dataset.testid = testId;
  if (text !== undefined) element.textContent = text;
  element.append(...children);
  return element;
}

/** A button that calls back. */
export function makeButton(text: string, onClick: () => void, options: MakeOptions = {}): HTMLButtonElement {
  const button = make("button", { ...options, text });
  button.type = "button";
  button.addEventListener("click", onClick);
  return button;
}
