import type { AnnotatedText } from "../src/index.ts";
import { make } from "./dom.ts";
import { createJsonView } from "./json-view.ts";
import { citedTargets, createRichText } from "./rich-text.ts";

/** Text of a turn that grows. */
export interface TextPart {
  readonly element: HTMLElement;
  add(text: string): void;
  /** Nothing more comes. */
  end(): void;
}

/** A stretch of reasoning. It folds away when something else begins; whoever opens it again keeps it open. */
export function createReasoningPart(): TextPart {
  const body = make("div", { className: "reasoning-text", testId: "reasoning-text" });
  const element = make("details", { className: "reasoning" }, [
    make("summary", { text: "Reasoning (unfiltered)" }),
    body,
  ]);
  element.open = true;
  return {
    element,
    add: (text) => {
      body.append(text);
      body.scrollTop = body.scrollHeight;
    },
    end: () => {},
  };
}

export interface AnswerPartOptions {
  /** The answer is to be JSON. */
  readonly isJson: boolean;
  /** Makes links of citations. */
  readonly annotate: (text: string, options: { readonly hidePartial: boolean }) => AnnotatedText;
}

/** A stretch of answer, drawn once a frame. */
export function createAnswerPart({ isJson, annotate }: AnswerPartOptions): TextPart {
  const element = make("div", { className: "answer", testId: "answer-text" });
  const json = isJson ? createJsonView() : undefined;
  if (json !== undefined) element.append(json.element);
  const richText = createRichText(element);
  let text = "";
  let isDrawing = false;
  let hasEnded = false;

  function draw(): void {
    isDrawing = false;
    if (json !== undefined) {
      if (!hasEnded) json.update(text);
      return;
    }
    const annotated = annotate(text, { hidePartial: !hasEnded });
    richText.update(annotated.text, citedTargets(annotated));
  }

  return {
    element,
    add: (more) => {
      text += more;
      if (isDrawing) return;
      isDrawing = true;
      requestAnimationFrame(draw);
    },
    end: () => {
      if (hasEnded) return;
      draw(); // a page in the background draws no frames
      hasEnded = true;
      draw();
      json?.end();
    },
  };
}
