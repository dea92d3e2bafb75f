import { make, makeButton } from "./dom.ts";
import { renderJson } from "./json-tree.ts";

/** An answer that is to be JSON. */
export interface JsonView {
  readonly element: HTMLElement;
  /** Shows what is written so far, as text. */
  update(text: string): void;
  /** The answer is complete, or cut off: a tree where it is JSON. */
  end(): void;
}

export function createJsonView(): JsonView {
  const kind = make("span", { className: "json-kind", testId: "json-kind", text: "JSON" });
  const code = make("code", {});
  const raw = make("pre", { className: "json-text", testId: "json-text" }, [code]);
  raw.tabIndex = 0;
  const toggle = makeButton("Text", () => setTextShown(toggle.getAttribute("aria-pressed") !== "true"), {
    className: "quiet small",
    testId: "json-toggle",
  });
  const copy = makeButton("Copy", () => void copyText(), { className: "quiet small", testId: "json-copy" });
  const bar = make("div", { className: "json-bar" }, [kind, toggle, copy]);
  const element = make("div", { className: "json-view", testId: "json-view" }, [bar, raw]);
  let text = "";
  let tree: HTMLElement | undefined;
  toggle.hidden = true;
  copy.hidden = true;

  function setTextShown(isShown: boolean): void {
    toggle.setAttribute("aria-pressed", String(isShown));
    raw.hidden = !isShown;
    if (tree !== undefined) tree.hidden = isShown;
  }

  async function copyText(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      copy.textContent = "Not allowed here";
    }
    setTimeout(() => {
      copy.textContent = "Copy";
    }, 2000);
  }

  return {
    element,
    update: (now) => {
      text = now;
      code.textContent = now;
    },
    end: () => {
      copy.hidden = text === "";
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        // Words before a tool call are held to no format.
        const isCut = /^\s*[{[]/.test(text);
        kind.textContent = isCut ? "Not complete: this is no valid JSON" : "Text";
        element.dataset.state = isCut ? "broken" : "text";
        return;
      }
      element.dataset.state = "valid";
      code.textContent = JSON.stringify(value, undefined, 2);
      tree = renderJson(value);
      tree.dataset.testid = "json-tree";
      element.append(tree);
      toggle.hidden = false;
      setTextShown(false);
    },
  };
}
