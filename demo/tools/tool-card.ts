import type { NumberedCall, ToolEvent } from "../../src/index.ts";
import { make, makeButton } from "../dom.ts";
import { formatSeconds } from "../format.ts";
import { approvalSentence, argumentsText, type CallState, callStateTexts, stateAfter } from "./call-texts.ts";
import { toolOf } from "./conversation-tools.ts";

/** One call of a tool: what the model asked for, the user's say, what came of it. */
export interface ToolCard {
  readonly element: HTMLElement;
  /** Shows what became of the call. */
  show(event: ToolEvent): void;
  /** Asks the user; `allow` is called first where the tool is to run unasked from now on. */
  ask(allow: () => void): Promise<boolean>;
  /** Lets the user type what the function returns. Never resolves where the signal fires first. */
  askResult(signal: AbortSignal): Promise<string>;
  /** The turn has ended: a call that is not over will never be. */
  end(): void;
}

export function createToolCard(call: NumberedCall): ToolCard {
  const state = make("span", { className: "call-state", testId: "tool-state" });
  const time = make("span", { className: "call-time", testId: "tool-time" });
  const name = make("h3", { className: "call-name", text: call.name });
  const say = make("div", { className: "call-say" });
  const element = make("div", { className: "tool-card", testId: "tool-card" }, [
    make("div", { className: "call-head" }, [name, state, time]),
  ]);
  element.setAttribute("role", "group");
  element.setAttribute("aria-label", `Call of ${call.name}`);
  element.tabIndex = -1; // takes the focus of a button that goes away
  const text = argumentsText(call);
  if (text !== "" && text !== "{}") element.append(scrollingText(text, "tool-arguments", "Arguments"));
  element.append(say);
  setState("called");

  function setState(now: CallState, label = callStateTexts[now]): void {
    element.dataset.state = now;
    state.textContent = label;
  }

  /** Takes what was asked away; who stood in it stays at the card. */
  function clearSay(): void {
    const hadFocus = say.contains(document.activeElement);
    say.replaceChildren();
    if (hadFocus) element.focus({ preventScroll: true });
  }

  function showResult(result: string, isGood: boolean): void {
    const details = make("details", { className: "call-result" }, [
      make("summary", { text: isGood ? "Result" : "What the model was told" }),
      scrollingText(result, "tool-result", "Result"),
    ]);
    element.append(details);
  }

  return {
    element,
    show: (event) => {
      clearSay();
      const { state: now, text: label } = stateAfter(event);
      setState(now, label);
      if (event.type === "tool-start") return;
      if (event.type === "tool-result" && event.failure !== "unknown-tool")
        time.textContent = formatSeconds(event.durationMs);
      showResult(event.result, now === "done");
    },
    ask: (allow) =>
      new Promise((resolve) => {
        setState("waiting");
        const always = make("input", { testId: "tool-allow" });
        always.type = "checkbox";
        const answer = (isApproved: boolean) => {
          if (isApproved && always.checked) allow();
          clearSay();
          resolve(isApproved);
        };
        say.replaceChildren(
          make("p", { text: approvalSentence(call) }),
          make("div", { className: "call-buttons" }, [
            makeButton("Approve", () => answer(true), { className: "small", testId: "tool-approve" }),
            makeButton("Deny", () => answer(false), { className: "quiet small", testId: "tool-deny" }),
            make("label", { className: "check" }, [
              always,
              make("span", { text: `Allow ${toolOf(call)} for this conversation` }),
            ]),
          ]),
        );
      }),
    askResult: (signal) =>
      new Promise((resolve) => {
        setState("running", "Waiting for its result");
        const field = make("textarea", { testId: "tool-result-field" });
        field.rows = 2;
        field.placeholder = "What the function returns: text or JSON";
        field.spellcheck = false;
        const send = () => resolve(field.value);
        const form = make("form", { className: "call-form" }, [
          make("label", {}, [make("span", { text: `Result of ${call.name}` }), field]),
          makeButton("Send the result", send, { className: "small", testId: "tool-send-result" }),
        ]);
        form.addEventListener("submit", (event) => event.preventDefault());
        field.addEventListener("keydown", (event) => {
          if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
          event.preventDefault();
          send();
        });
        const hadFocus = element.contains(document.activeElement);
        say.replaceChildren(form);
        if (hadFocus) field.focus();
        signal.addEventListener("abort", clearSay, { once: true });
      }),
    end: () => {
      clearSay();
      const now = element.dataset.state;
      if (now === "called" || now === "waiting" || now === "running") setState("stopped");
    },
  };
}

/** Text that scrolls by keyboard, too. */
function scrollingText(text: string, testId: string, label: string): HTMLElement {
  const element = make("pre", { className: "call-text", testId }, [make("code", { text })]);
  element.tabIndex = 0;
  element.setAttribute("role", "region");
  element.setAttribute("aria-label", label);
  return element;
}
